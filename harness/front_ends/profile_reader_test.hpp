#pragma once

// What tests of the readers of profiles ask.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/profile.hpp"
#include "harness/report/words.hpp"
#include "harness/testing/folder_test.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {

/// A text as a format reads it: a profile to ask.
class Read {
 public:
  explicit Read(std::string_view format, Deployment deployment = {})
      : row_(find_profile_format(format)), deployment_(std::move(deployment)) {}

  Read& text(std::string_view text, std::string_view path = {}) {
    auto read = row_->read(text, path, deployment_);
    error_ = read ? std::string() : to_string(read.error());
    EXPECT_TRUE(read || !read.error().message.empty());
    profile_ = read ? std::move(*read) : Profile{};
    return *this;
  }

  /// "line 1, column 2: why", or nothing.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const Profile& profile() const { return profile_; }

  [[nodiscard]] std::string notes() const {
    std::string out;
    for (const Note& each : profile_.notes) {
      if (each.place.line != 0) out += std::to_string(each.place.line) + ": ";
      out += each.message + "\n";
    }
    return out;
  }

  /// What a layer says of a call, "ALLOW"; the policy and the program of it say the same.
  [[nodiscard]] std::string says(std::string_view call, std::initializer_list<std::uint64_t> args,
                                 Arch arch, std::size_t layer = 0) const {
    const auto number = syscall_number(arch, call);
    EXPECT_TRUE(number) << call;
    return says_of(number.value_or(0), args, info(arch).token, layer);
  }
  [[nodiscard]] std::string says(std::string_view call,
                                 std::initializer_list<std::uint64_t> args = {}) const {
    return says(call, args, deployment_.model.arch);
  }

  [[nodiscard]] std::string says_of(std::uint32_t number, std::initializer_list<std::uint64_t> args,
                                    std::uint32_t token, std::size_t layer = 0) const {
    if (!error_.empty()) return error_;
    SeccompData data{.nr = static_cast<std::int32_t>(number), .arch = token};
    std::size_t at = 0;
    for (const std::uint64_t each : args) data.args.at(at++) = each;
    const Layer& asked = profile_.layers.at(layer);
    const auto program = lower(asked, deployment_.model);
    if (!program) return program.error().message;
    EXPECT_TRUE(verifier::check(*program, deployment_.model));
    const reference::Result result = reference::run(*program, data, deployment_.model);
    EXPECT_EQ(result.fault, reference::Fault::None);
    if (asked.before.empty()) {
      EXPECT_EQ(result.value, PolicyEvaluator(asked.policy).evaluate(data).value)
          << number << " of " << token;
    }
    return report::verdict_words(result.value, deployment_.model);
  }

 private:
  const ProfileFormatRow* row_;
  Deployment deployment_;
  Profile profile_;
  std::string error_;
};

/// A deployment on a machine.
[[nodiscard]] inline Deployment on(Arch arch) {
  Deployment out;
  out.model.arch = arch;
  return out;
}

/// The format that a text is taken for, or nothing.
[[nodiscard]] inline std::string detected(std::string_view text, std::string_view path = {}) {
  for (const ProfileFormatRow& row : profile_formats()) {
    if (row.detect(text, path)) return std::string(row.name);
  }
  return {};
}

/// A file in a folder of this process's; its path.
[[nodiscard]] inline std::string test_file(std::string_view name, std::string_view text) {
  static const TestFolder folder;
  return folder.file(name, text);
}

}  // namespace callgate::front_ends
