# shellcheck shell=bash
# The fuzz targets, what each is for, and how they are built; sourced by the scripts of this folder, at the root.

# shellcheck disable=SC2034
fuzz_targets=(concept_map_table fhirpath fml hl7v2 http_head json_reader json_web_token push record_reader structure_map table_cutter)
fuzz_build=${FHIR_ADAPTER_FUZZ_BUILD:-$PWD/build/fuzz}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
# Only coverage.sh wants to know what was run.
export LLVM_PROFILE_FILE=/dev/null

# fuzz_module TARGET: the files and folders whose lines its corpus must reach.
fuzz_module() {
  case "$1" in
    fhirpath) echo adapter/fhirpath ;;
    concept_map_table) echo adapter/fml/concept_map_table* adapter/record/csv_row* ;;
    fml)
      find adapter/fml -name '*.cc' ! -name 'structure_map*' ! -name 'concept_map_table*' |
        tr '\n' ' '
      ;;
    hl7v2) echo adapter/intake/{hl7_acknowledgement,mllp_codec}.cc adapter/record/hl7v2_{reader,shape}.cc ;;
    http_head) echo adapter/net/http_head.cc adapter/net/http_message.cc adapter/net/router.cc ;;
    json_reader) echo adapter/fhir/{json_reader,json_writer,utf8}.{cc,h} ;;
    json_web_token) echo adapter/app/json_web_{key,token}.cc ;;
    push) echo adapter/pipeline/{push_input,pushed_observation}.cc adapter/intake/push_conditions.cc ;;
    record_reader)
      echo adapter/record/{content_hash,primitive_format,record_envelope,record_model,record_reader,record_splitter}.cc \
        adapter/record/{row_checker,structure_checker}.cc
      ;;
    structure_map) echo adapter/fml/structure_map* ;;
    table_cutter)
      echo adapter/record/{column_path,csv_row,local_time,row_tree,table_cutter,table_layout,text_encoding}.cc
      ;;
    *) echo "no such target: $1 (${fuzz_targets[*]})" >&2; return 2 ;;
  esac
}

# fuzz_inputs TARGET: how many inputs take about 20 seconds.
fuzz_inputs() {
  case "$1" in
    json_reader) echo 1400000 ;;
    http_head) echo 260000 ;;
    json_web_token | structure_map) echo 160000 ;;
    fhirpath) echo 110000 ;;
    concept_map_table | table_cutter) echo 90000 ;;
    hl7v2 | record_reader) echo 50000 ;;
    *) echo 17000 ;;
  esac
}

build_fuzz_targets() {
  cmake --preset fuzz -B "$fuzz_build" >/dev/null
  cmake --build "$fuzz_build" -j "${FHIR_ADAPTER_FUZZ_JOBS:-$(nproc)}" --target "$@" | tail -n 1
}
