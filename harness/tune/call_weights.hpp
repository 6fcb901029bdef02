#pragma once

#include <functional>
#include <map>
#include <string>

namespace callgate::tune {

/// What an instruction more on the way to a call costs a workload, beside others of the same
/// workload: how often the call is made where the kernel's cache does not answer it, 0 where it
/// does. Names are of the workload's own ABI; calls that are not named weigh 0. Of any unit; none
/// is below 0.
using CallWeights = std::map<std::string, double, std::less<>>;

}  // namespace callgate::tune
