#include "stage.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>

#include <drydock/kernel/error.hpp>
#include <drydock/kernel/raw.hpp>
#include <drydock/kernel/sys.hpp>

#include "shared/traffic.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::net {

Outcome make_pair() {
  network::Veth veth;
  veth.host_name = "veth-a";
  veth.peer_name = "veth-b";
  veth.peer_pid = sys::getpid();
  veth.peer_mac = network::mac_of(ipv4("10.99.0.2"));
  return sent(network::create_veth(veth));
}

namespace {

void answer_one(const Fd& listener, const std::string& name) {
  const Fd caller(static_cast<int>(raw::call(SYS_accept4, listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  raw::call(SYS_write, caller.get(), name.data(), name.size());
}

std::string done(const std::string& verb, const std::string& first, const std::string& second) {
  if (verb == "up") return text(sent(network::link_up(first)));
  if (verb == "links") return names_of_links();
  if (verb == "state") return state_of(first);
  if (verb == "give") return text(give_address(first, second));
  if (verb == "ping") return text(ping(first));
  if (verb == "routes") return routes();
  if (verb == "via") return text(sent(network::add_default_route(ipv4(first))));
  throw Error::refused("agent", "it does not know '" + verb + "'");
}

}  // namespace

int agent(Talk& talk) {
  Fd listener;
  for (std::string words = talk.line(); !words.empty(); words = talk.line()) {
    std::array<std::string, 3> word;
    for (std::size_t at = 0, n = 0; at < words.size() && n < word.size(); ++n) {
      const std::size_t end = std::min(words.find(' ', at), words.size());
      word[n] = words.substr(at, end - at);
      at = end + 1;
    }
    if (word[0] == "listen")
      talk.say(text(listen_on("0.0.0.0", std::stoi(word[1]), listener, Reuse::yes)));
    else if (word[0] == "answer")
      answer_one(listener, word[1]);
    else
      talk.say(done(word[0], word[1], word[2]));
  }
  return 0;
}

std::string ask(Child& agent, const std::string& words) {
  agent.talk().say(words);
  return agent.talk().line();
}

}  // namespace drydock::chapter::net
