#include "harness/front_ends/profile_formats.hpp"
namespace callgate::front_ends {
bool detect_oci(std::string_view, std::string_view) { return false; }
ReadProfile read_oci(std::string_view, std::string_view, const Deployment&) {
  return std::unexpected(ReadError{"not yet", {}, {}, {}});
}
}  // namespace callgate::front_ends
