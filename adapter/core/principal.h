// Principal: who asks for something, by which way, and what they may do. Every handler that changes or shows
// data takes one; it is written into the audit log as actor and client.
//
// A value; free to copy between threads. Holds no secret and no clinical value.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace fhir_adapter {

enum class Role : std::uint8_t { kIngest, kOperator, kAuditor };

std::string_view Name(Role role);  // "ingest", "operator", "auditor"

class RoleSet {
 public:
  constexpr RoleSet() = default;
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (const Role role : roles) bits_ |= Bit(role);
  }
  static constexpr RoleSet All() { return {Role::kIngest, Role::kOperator, Role::kAuditor}; }

  constexpr bool Has(Role role) const { return (bits_ & Bit(role)) != 0; }
  constexpr bool operator==(const RoleSet&) const = default;

 private:
  static constexpr std::uint8_t Bit(Role role) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(role));
  }
  std::uint8_t bits_ = 0;
};

std::string ToString(RoleSet roles);  // "ingest+operator"; empty for none

enum class ActorKind : std::uint8_t {
  kSystem,  // the adapter itself: mapping, delivery, timers
  kPerson,  // someone at the command line or the console
  kClient,  // a program that sends records
};

std::string_view Name(ActorKind kind);  // "system", "person", "client"

struct Principal {
  ActorKind kind = ActorKind::kSystem;
  std::string id = "fhir-adapter";  // user name, name of a token or of a certificate; never the secret
  RoleSet roles;
  std::string authentication = "internal";  // "internal", "none", "peer-credentials", "token", "certificate"
  std::string client_address;               // as the listener saw it; empty for local commands
  std::string client_application;           // as the client names itself
  std::string request_id;                   // X-Request-Id of the request that is being served
};

// The adapter acting by itself.
Principal SystemPrincipal();

}  // namespace fhir_adapter
