#include <drydock/container/spec.hpp>

#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include <drydock/kernel/error.hpp>

namespace drydock::container {

namespace {

using Json = nlohmann::ordered_json;

// Each struct lists its fields once, below; Writer and Reader both walk that list, so the two directions cannot differ.
template <typename Archive>
void fields(Archive& f, MountSpec& m) {
  f.name_of("type", m.type, {"bind", "volume", "tmpfs"});
  f("source", m.source);
  f("target", m.target);
  f("read_only", m.read_only);
  f("recursive", m.recursive);
  f("propagation", m.propagation);
  f("tmpfs_options", m.tmpfs_options);
  f("tmpfs_size", m.tmpfs_size);
}

template <typename Archive>
void fields(Archive& f, cgroups::DeviceRate& r) {
  f("device", r.device);
  f("rate", r.rate);
}

template <typename Archive>
void fields(Archive& f, cgroups::Limits& l) {
  f("memory", l.memory);
  f("memory_swap", l.memory_swap);
  f("cpu_shares", l.cpu_shares);
  f("cpus", l.cpus);
  f("cpuset_cpus", l.cpuset_cpus);
  f("pids", l.pids);
  f("blkio_weight", l.blkio_weight);
  f("read_bps", l.read_bps);
  f("write_bps", l.write_bps);
  f("read_iops", l.read_iops);
  f("write_iops", l.write_iops);
}

template <typename Archive>
void fields(Archive& f, network::HostEntry& h) {
  f("name", h.name);
  f("address", h.address);
}

template <typename Archive>
void fields(Archive& f, PortSpec& p) {
  f("host_address", p.host_address);
  f("host_port", p.host_port);
  f("container_port", p.container_port);
  f("udp", p.udp);
}

template <typename Archive>
void fields(Archive& f, NetworkSpec& n) {
  f.name_of("mode", n.mode, {"bridge", "none", "host", "container", "slirp4netns"});
  f("peer", n.peer);
  f("address", n.address);
  f("dns", n.dns);
  f("hosts", n.hosts);
  f("ports", n.ports);
}

template <typename Archive>
void fields(Archive& f, UlimitSpec& u) {
  f("resource", u.resource);
  f("soft", u.soft);
  f("hard", u.hard);
}

template <typename Archive>
void fields(Archive& f, SecuritySpec& s) {
  f("cap_add", s.cap_add);
  f("cap_drop", s.cap_drop);
  f("privileged", s.privileged);
  f("no_new_privileges", s.no_new_privileges);
  f("seccomp", s.seccomp);
  f("ulimits", s.ulimits);
}

template <typename Archive>
void fields(Archive& f, IdRange& r) {
  f("inside", r.inside);
  f("outside", r.outside);
  f("count", r.count);
}

template <typename Archive>
void fields(Archive& f, UserNamespaceSpec& u) {
  f("enabled", u.enabled);
  f("uids", u.uids);
  f("gids", u.gids);
}

template <typename Archive>
void fields(Archive& f, Spec& s) {
  f("image", s.image);
  f("name", s.name);
  f("hostname", s.hostname);
  f("entrypoint", s.entrypoint);
  f("command", s.command);
  f("env", s.env);
  f("working_directory", s.working_directory);
  f("user", s.user);
  f("interactive", s.interactive);
  f("terminal", s.terminal);
  f("detach", s.detach);
  f("remove", s.remove);
  f("init", s.init);
  f("read_only", s.read_only);
  f("mounts", s.mounts);
  f("limits", s.limits);
  f("network", s.network);
  f("security", s.security);
  f("userns", s.userns);
  f("labels", s.labels);
}

class Writer {
 public:
  template <typename T>
  void operator()(const char* name, T& value) {
    json_[name] = written(value);
  }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) {
    if (value) json_[name] = written(*value);
  }
  template <typename E>
  void name_of(const char* name, E& value, std::initializer_list<const char*> names) {
    json_[name] = names.begin()[static_cast<std::size_t>(value)];
  }
  Json take() { return std::move(json_); }

 private:
  template <typename T>
  static Json written(T& value) {
    if constexpr (std::is_constructible_v<Json, T&> && !std::is_class_v<T>)
      return value;
    else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::map<std::string, std::string>>)
      return value;
    else if constexpr (requires { value.begin(); }) {
      Json list = Json::array();
      for (auto& element : value) list.push_back(written(element));
      return list;
    } else {
      Writer inner;
      fields(inner, value);
      return inner.take();
    }
  }

  Json json_ = Json::object();
};

class Reader {
 public:
  Reader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json.is_object()) wrong(path_, json, "an object");
  }
  // A field that is missing keeps its default: an older ledger, or a hand-written spec.
  template <typename T>
  void operator()(const char* name, T& value) {
    if (const Json* found = find(name)) read(*found, path_of(name), value);
  }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) {
    const Json* found = find(name);
    if (found != nullptr && !found->is_null()) read(*found, path_of(name), value.emplace());
  }
  template <typename E>
  void name_of(const char* name, E& value, std::initializer_list<const char*> names) {
    const Json* found = find(name);
    if (found == nullptr) return;
    std::string choice, all;
    read(*found, path_of(name), choice);
    for (std::size_t at = 0; at < names.size(); ++at) {
      if (choice == names.begin()[at]) {
        value = static_cast<E>(at);
        return;
      }
      all += (all.empty() ? "" : ", ") + std::string(names.begin()[at]);
    }
    throw Error::refused("spec: " + path_of(name), "'" + choice + "' is not known", "choose one of: " + all);
  }
  // A name that nothing asked for is a typing mistake, and silence would be an unlimited container.
  void finish() const {
    for (const auto& [name, value] : json_.items())
      if (known_.find(name) == known_.end())
        throw Error::refused("spec: " + path_of(name), "there is no such field", "check its spelling");
  }

 private:
  [[noreturn]] static void wrong(const std::string& path, const Json& json, const std::string& wanted) {
    throw Error::refused("spec: " + (path.empty() ? std::string("the text") : path),
                         "it must be " + wanted + ", not " + json.type_name(), "correct the field");
  }
  std::string path_of(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }
  const Json* find(const char* name) {
    known_.insert(name);
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }

  template <typename T>
  static void read(const Json& json, const std::string& path, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      if (!json.is_boolean()) wrong(path, json, "true or false");
      value = json.get<bool>();
    } else if constexpr (std::is_integral_v<T>) {
      read_integer(json, path, value);
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!json.is_number()) wrong(path, json, "a number");
      value = json.get<T>();
    } else if constexpr (std::is_same_v<T, std::string>) {
      if (!json.is_string()) wrong(path, json, "a string");
      value = json.get<std::string>();
    } else if constexpr (std::is_same_v<T, std::map<std::string, std::string>>) {
      if (!json.is_object()) wrong(path, json, "an object of strings");
      for (const auto& [key, text] : json.items()) read(text, path + "." + key, value[key]);
    } else if constexpr (requires { value.push_back(typename T::value_type{}); }) {
      if (!json.is_array()) wrong(path, json, "an array");
      value.clear();
      for (const Json& element : json) {
        const std::string place = path + "[" + std::to_string(value.size()) + "]";
        read(element, place, value.emplace_back());
      }
    } else {
      Reader inner(json, path);
      fields(inner, value);
      inner.finish();
    }
  }

  template <typename T>
  static void read_integer(const Json& json, const std::string& path, T& value) {
    if (!json.is_number_integer()) wrong(path, json, "a whole number");
    const bool fits =
        json.is_number_unsigned() ? std::in_range<T>(json.get<std::uint64_t>()) : std::in_range<T>(json.get<std::int64_t>());
    if (!fits) throw Error::refused("spec: " + path, "the number " + json.dump() + " is out of range", "correct the field");
    value = json.get<T>();
  }

  const Json& json_;
  std::string path_;
  std::set<std::string> known_;
};

}  // namespace

std::string to_json(const Spec& spec, int indent) {
  Writer writer;
  Spec copy = spec;  // the one list of fields serves both directions, and reading writes into it
  fields(writer, copy);
  // A command may hold bytes that are no UTF-8; JSON cannot, and losing one is better than losing the container's record.
  return writer.take().dump(indent, ' ', false, Json::error_handler_t::replace);
}

Spec spec_from_json(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) throw Error::refused("spec", "the text is no JSON", "check it with a JSON tool");
  Spec spec;
  Reader reader(json, "");
  fields(reader, spec);
  reader.finish();
  return spec;
}

}  // namespace drydock::container
