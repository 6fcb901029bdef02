#pragma once

#include <expected>
#include <string_view>

#include "harness/front_ends/profile.hpp"

/// The functions that the registry in profile.cpp names.
namespace callgate::front_ends {

using ReadProfile = std::expected<Profile, ReadError>;

[[nodiscard]] bool detect_oci(std::string_view text, std::string_view path);
[[nodiscard]] ReadProfile read_oci(std::string_view text, std::string_view path,
                                   const Deployment& deployment);

[[nodiscard]] bool detect_systemd(std::string_view text, std::string_view path);
[[nodiscard]] ReadProfile read_systemd(std::string_view text, std::string_view path,
                                       const Deployment& deployment);
[[nodiscard]] bool detect_minijail(std::string_view text, std::string_view path);
[[nodiscard]] ReadProfile read_minijail(std::string_view text, std::string_view path,
                                        const Deployment& deployment);
[[nodiscard]] bool detect_minijail_compiler(std::string_view text, std::string_view path);
[[nodiscard]] ReadProfile read_minijail_compiler(std::string_view text, std::string_view path,
                                                 const Deployment& deployment);
[[nodiscard]] bool detect_kafel(std::string_view text, std::string_view path);
[[nodiscard]] ReadProfile read_kafel(std::string_view text, std::string_view path,
                                     const Deployment& deployment);
[[nodiscard]] bool detect_seccompiler(std::string_view text, std::string_view path);
[[nodiscard]] ReadProfile read_seccompiler(std::string_view text, std::string_view path,
                                           const Deployment& deployment);
[[nodiscard]] bool detect_firecracker(std::string_view text, std::string_view path);
[[nodiscard]] ReadProfile read_firecracker(std::string_view text, std::string_view path,
                                           const Deployment& deployment);
[[nodiscard]] bool detect_lxc(std::string_view text, std::string_view path);
[[nodiscard]] ReadProfile read_lxc(std::string_view text, std::string_view path,
                                   const Deployment& deployment);
[[nodiscard]] bool detect_firejail(std::string_view text, std::string_view path);
[[nodiscard]] ReadProfile read_firejail(std::string_view text, std::string_view path,
                                        const Deployment& deployment);
[[nodiscard]] bool detect_pfc(std::string_view text, std::string_view path);
[[nodiscard]] ReadProfile read_pfc(std::string_view text, std::string_view path,
                                   const Deployment& deployment);

}  // namespace callgate::front_ends
