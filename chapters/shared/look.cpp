#include "shared/look.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>

#include <algorithm>
#include <cctype>

#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

namespace drydock::chapter {

namespace {

utsname names() {
  utsname all{};
  raw::call(SYS_uname, &all);
  return all;
}

}  // namespace

std::string hostname() {
  return names().nodename;
}
std::string nis_domain() {
  return names().domainname;
}
std::string kernel_version() {
  const std::string release = names().release;
  return release.substr(0, release.find_first_not_of("0123456789."));
}

std::string link_of(const std::string& path) {
  return sys::readlink(path);
}

std::string status_field(pid_t pid, const std::string& field) {
  const auto text = sys::read_file_if_present("/proc/" + std::to_string(pid) + "/status");
  if (!text) return {};
  const std::string key = "\n" + field + ":";
  const std::size_t at = ("\n" + *text).find(key);
  if (at == std::string::npos) return {};
  const std::size_t begin = text->find_first_not_of("\t ", at + key.size() - 1);
  std::string value = text->substr(begin, text->find('\n', begin) - begin);
  std::replace(value.begin(), value.end(), '\t', ' ');
  return value;
}

std::vector<pid_t> processes() {
  std::vector<pid_t> pids;
  for (const std::string& name : sys::list_directory("/proc"))
    if (std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; }))
      pids.push_back(std::stoi(name));
  std::sort(pids.begin(), pids.end());
  return pids;
}

bool is_alive(pid_t pid) {
  return !raw::failed(raw::call(SYS_kill, pid, 0));
}

void pause_ms(int milliseconds) {
  const timespec time{milliseconds / 1000, (milliseconds % 1000) * 1'000'000L};
  raw::call(SYS_nanosleep, &time, nullptr);
}

}  // namespace drydock::chapter
