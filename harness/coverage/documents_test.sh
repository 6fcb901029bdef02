#!/bin/sh
# Whether the tools that coverage is written for take it: documents_test.sh DOCUMENTS SOURCE_FOLDER
set -eu
documents=$1
source=$2
for tool in lcov genhtml xmllint; do
  command -v "$tool" >/dev/null || {
    echo "[  SKIPPED ] $tool is not here (./bootstrap test installs it)"
    exit 0
  }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cp "$source/corpus/profiles/docker_every_feature.json" "$source/corpus/profiles/seccompiler.json" .
cp "$source/corpus/profiles/kafel.policy" 'odd <name> & "quotes".policy'

"$documents" docker_every_feature.json seccompiler.json 'odd <name> & "quotes".policy' >said
cat said

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

# lcov reads every record, and finds as many lines as there are.
lcov --rc lcov_branch_coverage=1 --summary coverage.lcov >summary 2>&1 || { cat summary; fail "lcov refuses it"; }
cat summary
grep -q 'lines\.*: .*(.* of .* line' summary || fail "no lines"
grep -q 'branches\.*: .*(.* of .* branch' summary || fail "no branches"
lines=$(grep -c '^DA:' coverage.lcov)
grep -q "of $lines lines" summary || fail "lcov counts other lines than $lines"
branches=$(grep -c '^BRDA:' coverage.lcov)
grep -q "of $branches branches" summary || fail "lcov counts other branches than $branches"

# genhtml shows every source: each is there.
genhtml --branch-coverage --quiet --output-directory html coverage.lcov >pages 2>&1 || { cat pages; fail "genhtml"; }
! grep -qi 'warning\|error\|cannot' pages || { cat pages; fail "genhtml warns"; }
shown=$(find html -name '*.gcov.html' | wc -l)
sources=$(grep -c '^SF:' coverage.lcov)
[ "$shown" -eq "$sources" ] || fail "$shown of $sources sources are shown"
grep -rq 'A = nr' html || fail "a listing is not shown"

# The JSON fits its schema.
if python3 -c 'import jsonschema' 2>/dev/null; then
  python3 - "$source/harness/coverage/coverage.schema.json" <<'END' || fail "the JSON does not fit its schema"
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
document = json.load(open("coverage.json"))
errors = [f"{each.json_path}: {each.message[:200]}" for each in validator.iter_errors(document)]
assert not errors, errors[:3]
document["programs"][0]["instructions"][0]["state"] = "perhaps"
assert not validator.is_valid(document), "the schema takes what it must not"
END
else
  echo "python3-jsonschema is not here: the JSON is not held against its schema"
fi

# The XML is well-formed and of the format.
grep -v DOCTYPE coverage.cobertura >coverage.xml  # which names a DTD that is elsewhere
xmllint --noout --nonet --dtdvalid "$source/harness/coverage/cobertura_subset.dtd" coverage.xml ||
  fail "the XML is not of the format"
valid=$(xmllint --nonet --xpath 'string(/coverage/@lines-valid)' coverage.xml)
[ "$valid" -eq "$lines" ] || fail "$valid lines in the XML, $lines in the tracefile"
counted=$(xmllint --nonet --xpath 'count(//line)' coverage.xml)
[ "$counted" -eq "$lines" ] || fail "$counted line elements"
name=$(xmllint --nonet --xpath "string(//class[contains(@filename, 'quotes\".policy')]/@filename)" coverage.xml)
[ "$name" = 'odd <name> & "quotes".policy' ] || fail "the name came back as $name"

# A spoiled one is seen as such.
sed 's/ hits="[0-9]*"//' coverage.xml >spoiled.xml
if xmllint --noout --nonet --dtdvalid "$source/harness/coverage/cobertura_subset.dtd" spoiled.xml 2>/dev/null; then
  fail "the format takes lines without hits"
fi
echo "$sources sources, $lines lines, $branches branches"
