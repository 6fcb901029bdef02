#pragma once

#include "harness/trace/trace.hpp"

/// The readers of the registry: formats.cpp has a row for each.
namespace callgate::trace {

[[nodiscard]] bool detect_binary(std::string_view bytes);
[[nodiscard]] std::expected<Header, ReadError> read_binary(std::string_view bytes,
                                                           const ReadOptions& options,
                                                           const Sink& sink);
[[nodiscard]] bool detect_strace(std::string_view bytes);
[[nodiscard]] std::expected<Header, ReadError> read_strace(std::string_view bytes,
                                                           const ReadOptions& options,
                                                           const Sink& sink);
[[nodiscard]] bool detect_counts(std::string_view bytes);
[[nodiscard]] std::expected<Header, ReadError> read_counts(std::string_view bytes,
                                                           const ReadOptions& options,
                                                           const Sink& sink);
[[nodiscard]] bool detect_audit(std::string_view bytes);
[[nodiscard]] std::expected<Header, ReadError> read_audit(std::string_view bytes,
                                                          const ReadOptions& options,
                                                          const Sink& sink);
[[nodiscard]] bool detect_perf(std::string_view bytes);
[[nodiscard]] std::expected<Header, ReadError> read_perf(std::string_view bytes,
                                                         const ReadOptions& options,
                                                         const Sink& sink);
[[nodiscard]] bool detect_perf_summary(std::string_view bytes);
[[nodiscard]] std::expected<Header, ReadError> read_perf_summary(std::string_view bytes,
                                                                 const ReadOptions& options,
                                                                 const Sink& sink);

}  // namespace callgate::trace
