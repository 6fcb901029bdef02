# cmake -DFOLDER=FOLDER -DSCRIPTS=A.js;B.js -DENGINE=FILE.wasm -DREASON=WORDS -DOUT=FILE.cpp -P embed.cmake:
# a C++ file that holds the page's parts. Without an engine, REASON says why there is none.
file(READ "${FOLDER}/page.html" document)
file(READ "${FOLDER}/page.css" style)
set(script "")
foreach(name IN LISTS SCRIPTS)
  file(READ "${FOLDER}/${name}" text)
  string(APPEND script "R\"~page~(${text})~page~\"\n")
endforeach()
set(bytes "")
set(size 0)
if(ENGINE)
  file(READ "${ENGINE}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
endif()
if(size EQUAL 0)
  set(bytes "0")
endif()
file(WRITE "${OUT}" "// Made by embed.cmake.
#include \"harness/report/page/page_files.hpp\"

namespace callgate::report::page_files {
namespace {

constexpr unsigned char kEngine[] = {${bytes}};

}  // namespace

std::string_view document() noexcept {
  return R\"~page~(${document})~page~\";
}
std::string_view style() noexcept {
  return R\"~page~(${style})~page~\";
}
std::string_view script() noexcept {
  return ${script};
}
std::span<const unsigned char> engine() noexcept { return std::span(kEngine).first(${size}); }
std::string_view engine_reason() noexcept { return \"${REASON}\"; }

}  // namespace callgate::report::page_files
")
