#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "vm/instruction.hpp"
#include "vm/seccomp_data.hpp"

/// Others' interpreters, on the same filters and calls.
namespace callgate::bench {

/// Whether this was built with libpcap.
extern const bool kHasLibpcap;

/// A call as a packet whose words libpcap loads as the kernel loads those of seccomp_data:
/// big-endian.
using Packet = std::array<std::uint8_t, kSeccompDataSize>;
[[nodiscard]] std::vector<Packet> packets(const std::vector<SeccompData>& calls);

/// libpcap's bpf_filter().
class Libpcap {
 public:
  explicit Libpcap(const Program& program);
  ~Libpcap();
  Libpcap(const Libpcap&) = delete;
  Libpcap& operator=(const Libpcap&) = delete;

  [[nodiscard]] std::uint32_t run(const Packet& packet) const noexcept;

 private:
  struct Instructions;
  std::unique_ptr<Instructions> instructions_;
};

}  // namespace callgate::bench
