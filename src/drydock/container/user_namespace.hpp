// The steps that --userns adds: the id maps, the writable layer's owner, and becoming root inside.
//
// Example: const namespaces::Maps maps = maps_of(spec, host); const MapWriter writer = writer_of(maps, host);
//          const StepRef written = add_id_maps(plan, child, maps, writer); ... add_become_root(plan, written, writer);
// Chapter: 07. Source: user_namespaces(7).
#pragma once

#include <string>

#include <drydock/container/plan.hpp>
#include <drydock/namespaces/id_map.hpp>

namespace drydock::container {

// What the user asked for, else the host's default.
namespaces::Maps maps_of(const Spec& spec, const Host& host);
// Who writes the maps: root itself, for others newuidmap, or the container itself when it has one id only.
namespaces::MapWriter writer_of(const namespaces::Maps& maps, const Host& host);
// The last step: the payload must not change its ids before it.
plan::StepRef add_id_maps(plan::Plan& plan, plan::Slot child, const namespaces::Maps& maps, namespaces::MapWriter writer);
// The writable layer belongs to root of the container. Throws Error when the maps do not say who that is outside.
void add_upper_owner(plan::Plan& plan, const std::string& upper, const namespaces::Maps& maps);
// Payload: the host's groups go (where the kernel lets them: not after setgroups was denied), its ids are 0 inside.
void add_become_root(plan::Plan& plan, plan::StepRef maps_written, namespaces::MapWriter writer);

}  // namespace drydock::container
