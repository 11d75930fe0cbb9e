#include "bridged.hpp"

#include <drydock/kernel/sys.hpp>

#include "shared/scratch.hpp"
#include "shared/wire.hpp"

namespace drydock::chapter::veth_bridge {

namespace {

Sketch sketch_for(const std::string& id, const Machine* host, const Variation& wanted) {
  Request request = request_of_this_user();
  request.id = id;
  request.address = ipv4(wanted.address);
  request.ports = wanted.ports;
  Sketch sketch = sketch_of(10, std::move(request));
  if (wanted.change != nullptr) wanted.change(sketch);
  if (!wanted.scratch.empty()) add_scratch(sketch, wanted.scratch);
  if (host != nullptr) put_on(*host, sketch);
  if (wanted.network_of != nullptr) share_network(*wanted.network_of, sketch);
  return sketch;
}

}  // namespace

Bridged::Bridged(Narrator& tell, const Machine* host, const Variation& wanted)
    : id_(sys::random_hex(64)),
      payload_(tell, sketch_for(id_, host, wanted)),
      host_(payload_.launch().monitor()),
      inside_(payload_.pid()) {}

}  // namespace drydock::chapter::veth_bridge
