#include "net/io_thread.h"

#include <future>
#include <pthread.h>
#include <signal.h>

#include "net/detail/io_context.h"

namespace fhir_adapter::net {

IoThread::IoThread() : implementation_(std::make_unique<Implementation>()) {
  implementation_->thread = std::thread([this] {
    // Signals are the main thread's business; a write to a closed socket must not end the program.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    implementation_->context.run();
  });
}

IoThread::~IoThread() {
  implementation_->context.stop();
  implementation_->thread.join();
  implementation_->gate->Close();
}

void IoThread::Post(std::function<void()> task) {
  implementation_->gate->Post(std::move(task));
}

void IoThread::Run(const std::function<void()>& task) {
  std::promise<void> done;
  Post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

bool IoThread::IsCurrent() const {
  return implementation_->thread.get_id() == std::this_thread::get_id();
}

}  // namespace fhir_adapter::net
