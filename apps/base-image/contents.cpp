#include "contents.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace drydock {

namespace {

struct Directory {
  const char* name;
  unsigned mode;
};

constexpr Directory directories[] = {{"bin", 0755},      {"dev", 0755},  {"etc", 0755},     {"home", 0755},
                                     {"proc", 0555},     {"root", 0700}, {"run", 0755},     {"sbin", 0755},
                                     {"sys", 0555},      {"tmp", 01777}, {"usr", 0755},     {"usr/bin", 0755},
                                     {"usr/sbin", 0755}, {"var", 0755},  {"var/log", 0755}, {"var/tmp", 01777}};

struct File {
  const char* name;
  unsigned mode;
  const char* content;
};

// getpwnam(3) of a static program reads the files directly; nsswitch.conf is for dynamic programs that a user adds.
constexpr File settings[] = {
    {"etc/group", 0644,
     "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\ntty:x:5:\ndisk:x:6:\nmail:x:8:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:"
     "\n"},
    {"etc/hostname", 0644, "busybox\n"},
    {"etc/hosts", 0644, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"},
    {"etc/nsswitch.conf", 0644, "passwd: files\ngroup:  files\nshadow: files\nhosts:  files dns\n"},
    {"etc/os-release", 0644,
     "NAME=\"Drydock base image\"\nID=drydock-busybox\nID_LIKE=debian\nPRETTY_NAME=\"Drydock base image (Debian's "
     "busybox-static)\"\n"},
    {"etc/passwd", 0644,
     "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\n"
     "mail:x:8:8:mail:/var/mail:/bin/false\nwww-data:x:33:33:www-data:/www:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/"
     "false\n"},
    {"etc/profile", 0644,
     "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPS1='\\u@\\h:\\w\\$ '\numask 022\n"},
    {"etc/resolv.conf", 0644, ""},  // a file that the image has need not be made in the writable layer to be bound over
    {"etc/shadow", 0640, "root:*:::::::\ndaemon:*:::::::\nbin:*:::::::\nmail:*:::::::\nwww-data:*:::::::\nnobody:*:::::::\n"},
    {"www/index.html", 0644,
     "<!doctype html>\n<title>Drydock</title>\n<h1>It floats</h1>\n"
     "<p>This page comes from busybox httpd in a Drydock container: <code>httpd -f -p 80 -h /www</code></p>\n"},
};

}  // namespace

void write_programs(image::TarWriter& tar, std::string_view busybox, const std::vector<std::string>& applets) {
  std::map<std::string, unsigned> made;
  for (const Directory& directory : directories) made[directory.name] = directory.mode;
  for (const auto& [name, mode] : made) tar.directory(name, mode);
  tar.file("bin/busybox", 0755, busybox);
  std::set<std::string> names(applets.begin(), applets.end());
  names.erase("bin/busybox");
  for (const std::string& name : names) {
    const std::string directory = name.substr(0, name.rfind('/') == std::string::npos ? 0 : name.rfind('/'));
    if (!made.contains(directory)) continue;  // linuxrc in the root, and the like: nobody calls it in a container
    tar.symlink(name, "/bin/busybox");
  }
}

void write_settings(image::TarWriter& tar) {
  // A layer names the directories it adds to, with their modes: the uppermost layer's attributes are what overlay shows.
  tar.directory("etc", 0755);
  for (const File& file : settings)
    if (std::string_view(file.name).starts_with("etc/")) tar.file(file.name, file.mode, file.content);
  tar.directory("home", 0755);
  tar.directory("www", 0755);
  for (const File& file : settings)
    if (std::string_view(file.name).starts_with("www/")) tar.file(file.name, file.mode, file.content);
}

}  // namespace drydock
