#include "vm/reference.hpp"

namespace callgate::reference {

std::string_view to_string(Fault fault) noexcept {
  switch (fault) {
    case Fault::None:
      return "none";
    case Fault::UnknownCode:
      return "unknown code";
    case Fault::RanOffTheEnd:
      return "ran off the end";
    case Fault::LoadOutOfRange:
      return "load out of range";
    case Fault::SlotOutOfRange:
      return "memory slot out of range";
    case Fault::SlotNotStored:
      return "memory slot read before it was stored";
    case Fault::DivisionByZero:
      return "division by the constant 0";
    case Fault::ShiftTooLarge:
      return "shift by a constant above 31";
    case Fault::UndefinedShift:
      return "shift by X above 31, undefined on this kernel";
  }
  return "";
}

Result run(std::span<const Instruction> program, const SeccompData& data,
           const KernelModel& model) noexcept {
  return run(program, data, model, NoObserver{});
}

}  // namespace callgate::reference
