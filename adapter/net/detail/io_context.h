// The event loop behind IoThread. Includes Asio: for the .cc files of net only.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "net/io_thread.h"

namespace fhir_adapter::net {

// Lets other threads post to a loop that may be gone already.
class IoGate {
 public:
  explicit IoGate(boost::asio::io_context& context) : context_(&context) {}

  template <class Task>
  void Post(Task&& task) {
    const std::lock_guard lock(mutex_);
    if (context_ != nullptr) boost::asio::post(*context_, std::forward<Task>(task));
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
  }

 private:
  std::mutex mutex_;
  boost::asio::io_context* context_;
};

struct IoThread::Implementation {
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
  // Shared with answers that are still owed when the loop ends.
  std::shared_ptr<IoGate> gate = std::make_shared<IoGate>(context);
  std::thread thread;
};

}  // namespace fhir_adapter::net
