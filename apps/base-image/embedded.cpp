#include "embedded.hpp"

// .incbin copies the file into the object: no generated source of ten megabytes, no tool beside the compiler.
asm(".section .rodata\n"
    ".balign 16\n"
    ".globl drydock_base_image_begin\n"
    "drydock_base_image_begin:\n"
    ".incbin \"" BASE_IMAGE_FILE
    "\"\n"
    ".globl drydock_base_image_end\n"
    "drydock_base_image_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" {
extern const char drydock_base_image_begin[];
extern const char drydock_base_image_end[];
}

namespace drydock {

std::string_view base_image_archive() {
  return {drydock_base_image_begin, static_cast<std::size_t>(drydock_base_image_end - drydock_base_image_begin)};
}

}  // namespace drydock
