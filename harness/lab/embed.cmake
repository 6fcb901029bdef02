# cmake -DTOP=FOLDER -DOUT=FILE.cpp -DFILES=A;B -P embed.cmake: a C++ file that holds the agent's sources.
set(rows "")
foreach(file IN LISTS FILES)
  file(RELATIVE_PATH name "${TOP}" "${file}")
  # Brackets and semicolons have a meaning in lists, not in a string that is only appended to.
  file(READ "${file}" text)
  string(APPEND rows "    {\"${name}\", R\"~agent~(${text})~agent~\"},\n")
endforeach()
file(WRITE "${OUT}" "// Made by embed.cmake.
#include \"harness/lab/agent_files.hpp\"

namespace callgate::lab {
namespace {

constexpr AgentFile kFiles[] = {
${rows}};

}  // namespace

std::span<const AgentFile> agent_files() noexcept { return kFiles; }

}  // namespace callgate::lab
")
