#pragma once

#include <expected>
#include <string_view>

#include "verifier/decision_table.hpp"
#include "vm/byte_order.hpp"
#include "vm/instruction.hpp"

namespace callgate::verifier {

/// One program that says what a table says, made of nothing but the table: that it means the same
/// as what the table was made of proves the table. Or why there is none: something was cut, a
/// comparison is opaque, a result is a formula or unknown, it would be longer than a kernel takes.
/// `order` is that of the kernel that is to run it. Throws Diagrams::Full.
[[nodiscard]] std::expected<Program, std::string_view> lower_table(Endings& endings,
                                                                   const DecisionTable& table,
                                                                   ByteOrder order);

}  // namespace callgate::verifier
