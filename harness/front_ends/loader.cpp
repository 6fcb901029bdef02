#include "harness/front_ends/loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

std::expected<Loaded, ReadError> from_profile(const ProfileFormatRow& row, std::string_view bytes,
                                              std::string_view path, const Deployment& deployment) {
  auto profile = row.read(bytes, path, deployment);
  if (!profile) return std::unexpected(std::move(profile.error()));
  Loaded out{std::string(row.name), row.looks_like, {}, std::move(profile->notes)};
  for (Layer& layer : profile->layers) {
    auto program = lower(layer, deployment.model);
    if (!program) {
      ReadError error{std::move(program.error().message), {}, {}, {}};
      if (const auto rule = program.error().rule) {
        const Place& place = layer.policy.rules[*rule].place;
        if (place.line != 0) {
          error.line = place.line;
          error.column = place.column;
        }
      }
      if (!layer.name.empty()) error.message = layer.name + ": " + error.message;
      return std::unexpected(std::move(error));
    }
    out.filters.push_back({std::move(layer.name), std::move(*program), layer.flags,
                           std::move(layer.policy), layer.lowering});
  }
  return out;
}

std::expected<Loaded, ReadError> from_program(std::string_view bytes, const ReadOptions& options) {
  auto program = read_program(bytes, options);
  if (!program) {
    ReadError& error = program.error();
    if (!options.format && !error.offset) {
      error.message += "; nor a profile:";
      for (const ProfileFormatRow& row : profile_formats()) {
        error.message += fmt::format("{} {} ({})", &row == profile_formats().data() ? "" : ",",
                                     row.name, row.looks_like);
      }
    }
    return std::unexpected(std::move(error));
  }
  const InputFormatRow& row = info(program->format);
  Loaded out{std::string(row.name), row.looks_like, {}, {}};
  out.filters.push_back({{}, std::move(program->program), {}, {}, {}});
  return out;
}

}  // namespace

std::expected<Loaded, ReadError> load(std::string_view bytes, std::string_view path,
                                      const LoadOptions& options) {
  ReadOptions program = options.program;
  program.format.reset();
  if (!options.input_format.empty()) {
    if (const ProfileFormatRow* row = find_profile_format(options.input_format)) {
      return from_profile(*row, bytes, path, options.deployment);
    }
    program.format = input_format_from_name(options.input_format);
    if (!program.format) {
      return std::unexpected(
          ReadError{fmt::format("{}: not a format that filters are read in", options.input_format),
                    {},
                    {},
                    {}});
    }
    return from_program(bytes, program);
  }
  if (!is_binary(bytes)) {
    const auto row = std::ranges::find_if(
        profile_formats(), [&](const ProfileFormatRow& each) { return each.detect(bytes, path); });
    if (row != profile_formats().end()) return from_profile(*row, bytes, path, options.deployment);
  }
  return from_program(bytes, program);
}

}  // namespace callgate::front_ends
