// RateLimiter: how often each client may ask. A client has a bucket that holds so many requests as it may
// send at once, and that fills again at its rate (a token bucket).
//
// For one thread. No clock: the caller says what time it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace fhir_adapter::net {

class RateLimiter {
 public:
  // A rate of 0: no limit. With more than `clients_max` clients those that were quiet are forgotten, else
  // all.
  RateLimiter(std::int64_t per_second, std::int64_t burst, std::size_t clients_max)
      : per_second_(per_second), burst_(burst), clients_max_(clients_max) {}

  // Counts a request of `client` and gives 0; or, when there are too many, how long until the next may come,
  // in ms, and does not count it.
  std::int64_t Take(const std::string& client, std::int64_t now_us);

  std::size_t client_count() const { return buckets_.size(); }

 private:
  struct Bucket {
    std::int64_t millionths = 0;  // of a request
    std::int64_t filled_us = 0;   // when that was
  };
  void Fill(Bucket& bucket, std::int64_t now_us) const;
  void MakeRoom(std::int64_t now_us);

  const std::int64_t per_second_;
  const std::int64_t burst_;
  const std::size_t clients_max_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace fhir_adapter::net
