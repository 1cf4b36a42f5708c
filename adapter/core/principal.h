// Principal: who asks for something, and what they may do. Audit entries name it, routes check it.
//
// A value; free to copy between threads.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace fhir_adapter {

// Ingest writes only; operator changes the queue, with a reason; auditor reads traces. None deletes audit.
enum class Role : std::uint8_t { kIngest, kOperator, kAuditor };

inline constexpr Role kAllRoles[] = {Role::kIngest, Role::kOperator, Role::kAuditor};

inline constexpr std::string_view Name(Role role) {
  switch (role) {
    case Role::kIngest:
      return "ingest";
    case Role::kOperator:
      return "operator";
    case Role::kAuditor:
      return "auditor";
  }
  return "";
}

class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (Role role : roles) bits_ = static_cast<std::uint8_t>(bits_ | Bit(role));
  }
  static constexpr RoleSet All() { return {Role::kIngest, Role::kOperator, Role::kAuditor}; }

  constexpr void Add(Role role) { bits_ = static_cast<std::uint8_t>(bits_ | Bit(role)); }
  constexpr bool Has(Role role) const { return (bits_ & Bit(role)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool Intersects(RoleSet other) const { return (bits_ & other.bits_) != 0; }
  constexpr bool operator==(const RoleSet&) const = default;

 private:
  static constexpr std::uint8_t Bit(Role role) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(role));
  }
  std::uint8_t bits_ = 0;
};

// "ingest+operator"; empty for none.
inline std::string ToString(RoleSet roles) {
  std::string text;
  for (const Role role : kAllRoles) {
    if (!roles.Has(role)) continue;
    if (!text.empty()) text += '+';
    text += Name(role);
  }
  return text;
}

enum class ActorKind : std::uint8_t {
  kAnonymous,   // nobody proved anything
  kSystem,      // the daemon itself
  kLocalUser,   // a user of this machine, by peer credentials or by running the command
  kCredential,  // a token or certificate
};

inline constexpr std::string_view Name(ActorKind kind) {
  switch (kind) {
    case ActorKind::kAnonymous:
      return "anonymous";
    case ActorKind::kSystem:
      return "system";
    case ActorKind::kLocalUser:
      return "local-user";
    case ActorKind::kCredential:
      return "credential";
  }
  return "";
}

struct Principal {
  ActorKind kind = ActorKind::kAnonymous;
  std::string id;  // "daemon", "uid:1000", the name of a token
  RoleSet roles;
  std::string authentication;      // how it was shown: "loopback", "peer-credentials", "token"
  std::string client_address;      // as the listener saw it; empty for local commands
  std::string client_application;  // as the client names itself
  std::string request_id;          // X-Request-Id of the request that is being served

  bool operator==(const Principal&) const = default;
};

// The daemon acting by itself: mapping, delivery, timers.
inline Principal SystemPrincipal() {
  Principal principal;
  principal.kind = ActorKind::kSystem;
  principal.id = "daemon";
  principal.authentication = "internal";
  return principal;
}

}  // namespace fhir_adapter
