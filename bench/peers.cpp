#include "bench/peers.hpp"

#include "vm/byte_order.hpp"

#ifdef CALLGATE_HAS_LIBPCAP
#include <pcap/pcap.h>
#endif

namespace callgate::bench {

std::vector<Packet> packets(const std::vector<SeccompData>& calls) {
  std::vector<Packet> out;
  for (const SeccompData& data : calls) {
    Packet& packet = out.emplace_back();
    for (std::uint32_t offset = 0; offset < kSeccompDataSize; offset += 4) {
      const std::uint32_t word = load_word(data, offset, ByteOrder::Little);
      for (std::uint32_t byte = 0; byte < 4; ++byte) {
        packet[offset + byte] = static_cast<std::uint8_t>(word >> (24 - 8 * byte));
      }
    }
  }
  return out;
}

#ifdef CALLGATE_HAS_LIBPCAP

const bool kHasLibpcap = true;

struct Libpcap::Instructions {
  std::vector<bpf_insn> all;
};

Libpcap::Libpcap(const Program& program) : instructions_(std::make_unique<Instructions>()) {
  for (const Instruction& each : program) {
    instructions_->all.push_back({each.code, each.jt, each.jf, each.k});
  }
}

std::uint32_t Libpcap::run(const Packet& packet) const noexcept {
  return bpf_filter(instructions_->all.data(), packet.data(), kSeccompDataSize, kSeccompDataSize);
}

#else

const bool kHasLibpcap = false;

struct Libpcap::Instructions {};
Libpcap::Libpcap(const Program& /*program*/) {}
std::uint32_t Libpcap::run(const Packet& /*packet*/) const noexcept { return 0; }

#endif

Libpcap::~Libpcap() = default;

}  // namespace callgate::bench
