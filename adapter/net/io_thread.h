// IoThread: the one thread on which all network input and output happens.
//
// Owns an event loop and its thread; servers that use it must be destroyed before it. Post() may be called
// from any thread; what is posted runs on the I/O thread and must not block.
#pragma once

#include <functional>
#include <memory>

namespace fhir_adapter::net {

class IoThread {
 public:
  IoThread();
  ~IoThread();  // stops the loop and joins; what has not run yet is dropped
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  void Post(std::function<void()> task);
  void Run(
      const std::function<void()>& task);  // posts it and waits until it has run; from other threads only
  bool IsCurrent() const;                  // true when called on the I/O thread

  struct Implementation;  // net/detail/io_context.h, for the .cc files that include Asio
  Implementation& implementation() { return *implementation_; }

 private:
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fhir_adapter::net
