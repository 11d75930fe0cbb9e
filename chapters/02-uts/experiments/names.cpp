// What a UTS namespace holds, and what it does not.
#include <fcntl.h>
#include <linux/sched.h>
#include <netdb.h>
#include <nss.h>
#include <sys/syscall.h>

#include <string>

#include <drydock/facts/snapshot.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>
#include <drydock/namespaces/kinds.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/payload.hpp"

namespace drydock::chapter::uts {

using namespaces::id_of;
using namespaces::Kind;

namespace {

Outcome set_name(const std::string& name) {
  return {raw::call(SYS_sethostname, name.data(), name.size())};
}

// A child in a UTS namespace of its own that says its name whenever it is asked.
Child namesake(const std::string& name) {
  return Child(for_this_user(CLONE_NEWUTS), [=](Talk& chapter) {
    set_name(name);
    chapter.say("ready");
    while (!chapter.line().empty()) chapter.say(hostname());
    return 0;
  });
}

std::string ask(Child& child) {
  child.talk().say("name?");
  return child.talk().line();
}

// What /etc/hosts knows; DNS is not asked, because no experiment needs the network.
bool is_known(const std::string& name) {
  ::__nss_configure_lookup("hosts", "files");
  addrinfo* found = nullptr;
  const bool known = ::getaddrinfo(name.c_str(), nullptr, nullptr, &found) == 0;
  if (known) ::freeaddrinfo(found);
  return known;
}

std::string addresses_of(const facts::Snapshot& snapshot) {
  std::string all;
  for (const facts::Address& address : snapshot.addresses) all += (all.empty() ? "" : " ") + address.address;
  return all.empty() ? "none" : all;
}

}  // namespace

void two_names(Narrator& tell) {
  const std::string name = hostname(), domain = nis_domain();
  tell.step("a container of this chapter: sethostname(\"lab02\"), setdomainname(\"drynis\")");
  Payload payload(tell, sketch_of(2, request_of_this_user()));
  const auto inside = [&](std::string (*look)()) { return visit(payload.pid(), {Kind::user, Kind::uts}, look); };
  tell.show("hostname", Sides{hostname(), inside(hostname)}, are(name, std::string("lab02")));
  tell.show("NIS domain", Sides{nis_domain(), inside(nis_domain)}, are(domain, std::string("drynis")));
  tell.step("a second container, at the same time");
  Payload other(tell, sketch_of(2, request_of_this_user()));
  tell.show("same uts namespace as the first?", id_of(payload.pid(), Kind::uts) == id_of(other.pid(), Kind::uts), is(false));
  tell.show("hostname of the second", visit(other.pid(), {Kind::user, Kind::uts}, hostname), is("lab02"));
  tell.result("the same name twice is no conflict: a name in a namespace is a text that uname() returns.");
}

void same_namespace(Narrator& tell) {
  tell.step("two children in UTS namespaces of their own, \"left\" and \"right\"; a process joins the left one and renames it");
  Child left = namesake("left"), right = namesake("right");
  left.talk().line();
  right.talk().line();
  tell.show("left, before", ask(left), is("left"));
  const auto rename = [] { return text(set_name("renamed")); };
  tell.show("its sethostname()", visit(left.pid(), {Kind::user, Kind::uts}, rename), is("it succeeds"));
  tell.show("left, afterwards", ask(left), is("renamed"));
  tell.show("right", ask(right), is("right"));
  tell.step("how to tell that two processes are in the same namespace: device and inode of the file behind the link");
  const auto identity = [](pid_t pid) {
    const struct stat status = sys::fstat(sys::open(namespaces::path_of(pid, Kind::uts), O_RDONLY));
    return std::pair(status.st_dev, status.st_ino);
  };
  const auto seen_there = [&] {
    return visit(left.pid(), {Kind::user, Kind::uts},
                 [&] { return identity(0) == identity(left.pid()) ? "equal" : "not equal"; });
  };
  tell.show("device and inode: left, one in it", seen_there(), is("equal"));
  tell.show("device and inode: left, right", identity(left.pid()) == identity(right.pid()) ? "equal" : "not equal",
            is("not equal"));
}

void not_the_network(Narrator& tell) {
  tell.step("a container named lab02, and the addresses that it has");
  Payload payload(tell, sketch_of(2, request_of_this_user()));
  tell.show("net namespace", Sides{id_of(0, Kind::net), id_of(payload.pid(), Kind::net)}, same());
  tell.show("addresses", Sides{addresses_of(facts::take(sys::getpid())), addresses_of(payload.facts())}, same());
  tell.step("who finds the name lab02? (/etc/hosts is asked)");
  tell.show("does the host find lab02?", is_known("lab02"), is(false));
  const auto inside = [] { return std::string(is_known(hostname()) ? "yes" : "no"); };
  tell.show("does the container find it?", visit(payload.pid(), {Kind::user, Kind::uts}, inside), is("no"));
  tell.result("a node of the network has an address, and somebody who knows its name. A UTS namespace gives neither.");
}

void nis_domain_only(Narrator& tell) {
  tell.step("setdomainname(\"drynis\") in a container");
  Payload payload(tell, sketch_of(2, request_of_this_user()));
  const auto inside = [&](std::string (*look)()) { return visit(payload.pid(), {Kind::user, Kind::uts}, look); };
  tell.show("domainname of uname(2)", inside(nis_domain), is("drynis"));
  tell.show("hostname", inside(hostname), lacks("."));
  const auto resolver = [] { return sys::read_file_if_present("/etc/resolv.conf").value_or("no such file"); };
  tell.show("does resolv.conf name drynis?", inside(+resolver).find("drynis") != std::string::npos, is(false));
  tell.show("is resolv.conf the host's?", resolver() == inside(+resolver), is(true));
  tell.result("it is the domain of NIS (yellow pages). The DNS domain stands in files, and they are the host's.");
}

void who_may(Narrator& tell) {
  tell.step("a user namespace of its own, but the host's UTS namespace: the capability is held, in the wrong place");
  Child wrong(CLONE_NEWUSER, [](Talk& chapter) {
    chapter.say(text(set_name("mine")));
    return 0;
  });
  tell.show("sethostname", wrong.talk().line(), contains("EPERM"));
  tell.step("both at once: the new UTS namespace belongs to the new user namespace");
  Child right(CLONE_NEWUSER | CLONE_NEWUTS, [](Talk& chapter) {
    chapter.say(text(set_name("mine")));
    chapter.say(text(set_name(std::string(65, 'x'))));
    return 0;
  });
  tell.show("sethostname", right.talk().line(), is("it succeeds"));
  tell.show("a name of 65 bytes", right.talk().line(), contains("EINVAL"));
  tell.result("CAP_SYS_ADMIN counts in the user namespace that owns the UTS namespace.");
}

}  // namespace drydock::chapter::uts
