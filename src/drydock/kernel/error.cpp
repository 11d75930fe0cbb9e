#include <drydock/kernel/error.hpp>

#include <cstring>

#include <drydock/kernel/explain.hpp>

namespace drydock {

namespace {

// "openat("/x", O_RDONLY): No such file or directory (ENOENT): reason; remedy".
std::string sentence(const Error::Parts& parts) {
  std::string text;
  if (!parts.step.empty()) text += "step " + parts.step + ": ";
  text += parts.call;
  if (parts.code != 0) {
    text += "(" + parts.arguments + "): " + errno_text(parts.code) + " (" + errno_name(parts.code) + ")";
  } else if (!parts.arguments.empty()) {
    text += "(" + parts.arguments + ")";
  }
  if (!parts.reason.empty()) text += ": " + parts.reason;
  if (!parts.remedy.empty()) text += "; " + parts.remedy;
  return text;
}

Error::Parts explained(Error::Parts parts) {
  if (parts.code != 0 && (parts.reason.empty() || parts.remedy.empty())) {
    const Explanation known = explain(parts.call, parts.code, parts.object);
    if (parts.reason.empty()) parts.reason = known.reason;
    if (parts.remedy.empty()) parts.remedy = known.remedy;
  }
  return parts;
}

}  // namespace

Error::Error(Parts parts) : std::runtime_error(sentence(explained(parts))), parts_(explained(std::move(parts))) {}

Error Error::from_errno(std::string call, std::string arguments, int code, std::string detail) {
  Parts parts{std::move(call), std::move(arguments), code, {}, {}, {}};
  if (!detail.empty()) parts.reason = "the kernel says: " + detail;
  return Error(std::move(parts));
}

Error Error::refused(std::string object, std::string reason, std::string remedy) {
  return Error(Parts{std::move(object), {}, 0, {}, std::move(reason), std::move(remedy)});
}

std::string errno_name(int code) {
  const char* name = strerrorname_np(code);
  return name != nullptr ? name : "errno " + std::to_string(code);
}

std::string errno_text(int code) {
  const char* text = strerrordesc_np(code);
  return text != nullptr ? text : "unknown error";
}

}  // namespace drydock
