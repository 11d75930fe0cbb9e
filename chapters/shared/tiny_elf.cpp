#include "shared/tiny_elf.hpp"

#include <elf.h>

#include <cstdint>
#include <vector>

namespace drydock::chapter {

namespace {

// write(1, text, length); exit(0). The text follows the code.
std::string code_for_x86_64(std::uint8_t length) {
  const std::vector<std::uint8_t> code{0xb8, 1,      0,    0,  0,        // mov eax, 1 (write)
                                       0xbf, 1,      0,    0,  0,        // mov edi, 1
                                       0x48, 0x8d,   0x35, 16, 0, 0, 0,  // lea rsi, [rip + 16]
                                       0xba, length, 0,    0,  0,        // mov edx, length
                                       0x0f, 0x05,                       // syscall
                                       0xb8, 60,     0,    0,  0,        // mov eax, 60 (exit)
                                       0x31, 0xff,                       // xor edi, edi
                                       0x0f, 0x05};                      // syscall
  return {code.begin(), code.end()};
}

std::string bytes_of_words(const std::vector<std::uint32_t>& code) {
  return {reinterpret_cast<const char*>(code.data()), code.size() * sizeof code.front()};
}

// exit(geteuid())
std::string euid_code(Elf64_Half machine) {
  if (machine == EM_AARCH64) return bytes_of_words({0xd28015e8, 0xd4000001, 0xd2800ba8, 0xd4000001});
  const std::vector<std::uint8_t> code{0xb8, 107,  0, 0, 0,  // mov eax, 107 (geteuid)
                                       0x0f, 0x05,           // syscall
                                       0x89, 0xc7,           // mov edi, eax
                                       0xb8, 60,   0, 0, 0,  // mov eax, 60 (exit)
                                       0x0f, 0x05};          // syscall
  return {code.begin(), code.end()};
}

std::string code_for_arm64(std::uint8_t length) {
  const std::vector<std::uint32_t> code{0xd2800020,                  // mov x0, 1
                                        0x100000e1,                  // adr x1, text: 28 bytes on
                                        0xd2800002U | length << 5U,  // mov x2, length
                                        0xd2800808,                  // mov x8, 64 (write)
                                        0xd4000001,                  // svc 0
                                        0xd2800000,                  // mov x0, 0
                                        0xd2800ba8,                  // mov x8, 93 (exit)
                                        0xd4000001};                 // svc 0
  return bytes_of_words(code);
}

std::string code_for(Elf64_Half machine, const std::string& text) {
  const auto length = static_cast<std::uint8_t>(text.size());
  return (machine == EM_X86_64 ? code_for_x86_64(length) : code_for_arm64(length)) + text;
}

template <typename Struct>
std::string bytes_of(const Struct& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string elf(Elf64_Half machine, const std::string& body) {
  constexpr Elf64_Addr base = 0x400000;
  Elf64_Ehdr head{};
  for (std::size_t i = 0; i < SELFMAG; ++i) head.e_ident[i] = static_cast<unsigned char>(ELFMAG[i]);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_ident[EI_VERSION] = EV_CURRENT;
  head.e_type = ET_EXEC;
  head.e_machine = machine;
  head.e_version = EV_CURRENT;
  head.e_entry = base + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  head.e_phoff = sizeof(Elf64_Ehdr);
  head.e_ehsize = sizeof(Elf64_Ehdr);
  head.e_phentsize = sizeof(Elf64_Phdr);
  head.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = segment.p_paddr = base;
  segment.p_filesz = segment.p_memsz = sizeof head + sizeof segment + body.size();
  segment.p_align = 0x1000;
  return bytes_of(head) + bytes_of(segment) + body;
}

#ifdef __aarch64__
constexpr Elf64_Half ours = EM_AARCH64, theirs = EM_X86_64;
#else
constexpr Elf64_Half ours = EM_X86_64, theirs = EM_AARCH64;
#endif

}  // namespace

std::string tiny_elf(const std::string& text) {
  return elf(ours, code_for(ours, text));
}

std::string tiny_elf_of_another_machine(const std::string& text) {
  return elf(theirs, code_for(theirs, text));
}

std::string tiny_elf_that_tells_its_euid() {
  return elf(ours, euid_code(ours));
}

}  // namespace drydock::chapter
