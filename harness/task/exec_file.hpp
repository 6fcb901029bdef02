#pragma once

/// The program that tasks of live scripts execute.
namespace callgate::task {

/// A descriptor of the program, in a file that is in memory only; -1 where there can be none. The
/// file is made once in the life of this process.
[[nodiscard]] int exec_file();

}  // namespace callgate::task
