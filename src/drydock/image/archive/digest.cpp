#include <drydock/image/archive/digest.hpp>

#include <openssl/evp.h>

#include <array>

#include <drydock/kernel/error.hpp>

namespace drydock::image {

struct Sha256::Context {
  EVP_MD_CTX* handle = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(handle); }
};

namespace {

void check(bool good) {
  if (!good)
    throw Error::refused("sha256", "libcrypto could not compute it", "is OpenSSL restricted by a configuration (OPENSSL_CONF)?");
}

}  // namespace

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  check(context_->handle != nullptr && EVP_DigestInit_ex(context_->handle, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  check(EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> value;
  unsigned size = 0;
  check(EVP_DigestFinal_ex(context_->handle, value.data(), &size) == 1);
  check(EVP_DigestInit_ex(context_->handle, EVP_sha256(), nullptr) == 1);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "sha256:";
  for (unsigned i = 0; i < size; ++i) {
    text += digits[value[i] >> 4];
    text += digits[value[i] & 15];
  }
  return text;
}

std::string sha256_digest(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.digest();
}

}  // namespace drydock::image
