// The smallest program: an ELF file of two hundred bytes that writes a text and ends. It needs no library, no interpreter and no
// other file, so it is all that a root file system must have.
//
// Example: sys::replace_file("hello", tiny_elf("hello\n"), 0755);
// Source: elf(5); syscall(2) for the registers of each architecture.
#pragma once

#include <string>

namespace drydock::chapter {

// For this machine. At most 255 bytes of text.
std::string tiny_elf(const std::string& text);
// One that writes nothing: its exit status is its effective user id (the lowest eight bits).
std::string tiny_elf_that_tells_its_euid();
// The same for the other one of x86-64 and arm64.
std::string tiny_elf_of_another_machine(const std::string& text);

}  // namespace drydock::chapter
