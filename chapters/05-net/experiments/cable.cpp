// A veth pair: a cable with one end here and one in another namespace.
#include <linux/sched.h>

#include <string>

#include <drydock/kernel/sys.hpp>

#include "experiments.hpp"
#include "shared/child.hpp"
#include "shared/look.hpp"
#include "shared/traffic.hpp"
#include "shared/wire.hpp"
#include "stage.hpp"

namespace drydock::chapter::net {

namespace {

// The host's side of the notes' example as far as they go: veth-a here, veth-b in the namespace of `nstest`.
Outcome lay_cable(const Child& nstest) {
  make_pair();
  return sent(move_link("veth-b", nstest.pid()));
}

// A link is up a moment after both its ends are.
std::string settled(const std::string& link) {
  eventually([&] { return state_of(link) == "up"; });
  return state_of(link);
}

}  // namespace

void cable(Narrator& tell) {
  tell.step("as `ip link add veth-a type veth peer name veth-b`");
  Child host(for_this_user(CLONE_NEWNET), [](Talk& chapter) {
    Child nstest(CLONE_NEWNET, agent);
    chapter.say(text(make_pair()));
    chapter.say(names_of_links());
    chapter.say(text(sent(move_link("veth-b", nstest.pid()))));
    chapter.say(names_of_links());
    chapter.say(ask(nstest, "links"));
    // Here the notes end.
    chapter.say(text(give_address("veth-a", "10.99.0.1")));
    chapter.say(ask(nstest, "give veth-b 10.99.0.2"));
    chapter.say(state_of("veth-a"));
    chapter.say(ask(nstest, "state veth-b"));
    chapter.say(ask(nstest, "up veth-b"));
    chapter.say(settled("veth-a"));
    chapter.say(ask(nstest, "state veth-b"));
    chapter.say(text(ping("10.99.0.2")));
    chapter.say(ask(nstest, "ping 10.99.0.1"));
    chapter.say(ask(nstest, "routes"));
    return 0;
  });
  const auto line = [&] { return host.talk().line(); };
  tell.show("RTM_NEWLINK", line(), is("it succeeds"));
  tell.show("links here", line(), is("lo veth-a veth-b"));
  tell.step("as `ip link set veth-b netns nstest`");
  tell.show("RTM_NEWLINK with IFLA_NET_NS_PID", line(), is("it succeeds"));
  tell.show("links here", line(), is("lo veth-a"));
  tell.show("links in nstest", line(), is("lo veth-b"));
  tell.say("the notes end here. What is missing: addresses, and both ends up");
  tell.step("10.99.0.1/24 for veth-a, 10.99.0.2/24 for veth-b; veth-a is up, veth-b not yet");
  tell.show("RTM_NEWADDR here", line(), is("it succeeds"));
  tell.show("RTM_NEWADDR in nstest", line(), is("it succeeds"));
  tell.show("veth-a", line(), is("no carrier"));
  tell.show("veth-b", line(), is("down"));
  tell.step("veth-b up");
  tell.show("RTM_NEWLINK", line(), is("it succeeds"));
  tell.show("veth-a", line(), is("up"));
  tell.show("veth-b", line(), is("up"));
  tell.step("ping, both ways");
  tell.show("10.99.0.2 from here", line(), is("it succeeds"));
  tell.show("10.99.0.1 from nstest", line(), is("it succeeds"));
  tell.show("routes in nstest, added by nobody", line(), is("10.99.0.0/24"));
  tell.result("a cable has a carrier when both ends are up; an address with a prefix brings the route to the other end.");
}

void subnets(Narrator& tell) {
  tell.step("a namespace with one link, 10.99.0.2/24; the other end is 10.99.0.1");
  Child host(for_this_user(CLONE_NEWNET), [](Talk& chapter) {
    Child router(CLONE_NEWNET, agent);
    chapter.say(text(send_datagram("10.99.0.1")));
    lay_cable(router);
    ask(router, "up veth-b");
    ask(router, "give veth-b 10.99.0.1");
    give_address("veth-a", "10.99.0.2");
    settled("veth-a");
    chapter.say(text(ping("10.99.0.1")));
    chapter.say(text(send_datagram("192.0.2.1")));
    ask(router, "up lo");
    ask(router, "give lo 192.0.2.1");
    chapter.say(text(sent(network::add_default_route(*network::Ipv4::parse("10.99.0.1")))));
    chapter.say(routes());
    chapter.say(text(ping("192.0.2.1")));
    chapter.say(text(sent(delete_route_to_all())));
    chapter.say(text(send_datagram("192.0.2.1")));
    chapter.say(text(ping("10.99.0.1")));
    return 0;
  });
  const auto line = [&] { return host.talk().line(); };
  tell.show("a datagram, without any link", line(), contains("ENETUNREACH"));
  tell.show("ping 10.99.0.1, with it", line(), is("it succeeds"));
  tell.show("a datagram to 192.0.2.1", line(), contains("ENETUNREACH"));
  tell.step("the other end has 192.0.2.1 too; as `ip route add default via 10.99.0.1`");
  tell.show("RTM_NEWROUTE", line(), is("it succeeds"));
  tell.show("routes", line(), is("10.99.0.0/24 default"));
  tell.show("ping 192.0.2.1", line(), is("it succeeds"));
  tell.step("as `ip route del default`");
  tell.show("RTM_DELROUTE", line(), is("it succeeds"));
  tell.show("a datagram to 192.0.2.1", line(), contains("ENETUNREACH"));
  tell.show("ping 10.99.0.1", line(), is("it succeeds"));
  tell.result("an address with a prefix makes a route to its own subnet. All the rest takes a router and a route to it.");
}

void moving(Narrator& tell) {
  tell.step("veth-a has an address and is up; it is moved to another namespace, and back");
  Child host(for_this_user(CLONE_NEWNET), [](Talk& chapter) {
    Child other(CLONE_NEWNET, [](Talk& talk) {
      talk.line();
      talk.say(state_of("veth-a"));
      talk.say(addresses());
      talk.line();
      talk.say(text(sent(move_link("veth-a", std::stoi(talk.line())))));
      talk.line();
      return 0;
    });
    make_pair();
    give_address("veth-a", "10.99.0.1");
    chapter.say(addresses());
    chapter.say(text(sent(move_link("veth-a", other.pid()))));
    other.talk().say("look");
    chapter.say(other.talk().line());
    chapter.say(other.talk().line());
    // While it is away, its name is given to another link.
    Child third(CLONE_NEWNET, agent);
    sent(move_link("veth-b", third.pid()));
    make_pair();
    other.talk().say("back");
    other.talk().say(std::to_string(sys::getpid()));
    chapter.say(other.talk().line());
    chapter.say(text(sent(move_link("lo", other.pid()))));
    return 0;
  });
  const auto line = [&] { return host.talk().line(); };
  tell.show("addresses here", line(), is("10.99.0.1/24"));
  tell.show("to the other namespace", line(), is("it succeeds"));
  tell.show("its state there", line(), is("down"));
  tell.show("addresses there", line(), is("none"));
  tell.step("meanwhile a link here has been called veth-a");
  tell.show("back", line(), contains("EEXIST"));
  tell.step("lo");
  tell.show("to the other namespace", line(), contains("EINVAL"));
  tell.result(
      "a moved link arrives down and without addresses. Drydock never moves one: it is born where it stays (net.veth in chapter "
      "10).");
}

}  // namespace drydock::chapter::net
