# Chart.js comes from the distribution and is embedded into the program as it is there.
set(AQ_CHART_JS /usr/share/javascript/chart.js/chart.min.js CACHE FILEPATH "Chart.js 3, minified, for the HTML reports")
if(NOT EXISTS ${AQ_CHART_JS})
  message(FATAL_ERROR "${AQ_CHART_JS} is missing: it draws the charts of the HTML reports. On Debian: apt-get install "
                      "libjs-chart.js. Elsewhere: -DAQ_CHART_JS=FILE with a minified Chart.js 3.")
endif()

# aq_embed(target name file): the bytes of the file as the constant array aq_embedded_<name> of target, with a NUL behind them
# that aq_embedded_<name>_bytes does not count.
function(aq_embed target name file)
  get_filename_component(path ${file} ABSOLUTE)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${name}.S)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
".section .rodata
.global aq_embedded_@name@
.global aq_embedded_@name@_bytes
.balign 8
aq_embedded_@name@:
.incbin \"@path@\"
1: .byte 0
.balign 8
aq_embedded_@name@_bytes: .quad 1b - aq_embedded_@name@
.section .note.GNU-stack,\"\",%progbits
")
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${path})
  target_sources(${target} PRIVATE ${source})
endfunction()
