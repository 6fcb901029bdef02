#include "harness/cli/named_stacks.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

namespace callgate::cli {
namespace {

std::vector<std::string> split(const std::string& argument) {
  std::error_code ignored;
  if (std::filesystem::exists(argument, ignored)) return {argument};
  std::vector<std::string> out;
  for (std::size_t from = 0;;) {
    const std::size_t comma = argument.find(',', from);
    out.push_back(argument.substr(from, comma - from));
    if (out.back().empty()) {
      throw UserError(fmt::format("'{}': there is no name beside a comma", argument));
    }
    if (comma == std::string::npos) return out;
    from = comma + 1;
  }
}

}  // namespace

NamedStack read_named_stack(const std::string& argument, const InputOptions& input,
                            const ModelOptions& options) {
  return {argument, read_stack(split(argument), input, options)};
}

}  // namespace callgate::cli
