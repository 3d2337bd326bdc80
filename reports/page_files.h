/* The files that every HTML page carries inside itself, embedded at build time; each ends with a NUL that its
   size does not count. */
#ifndef AQ_REPORTS_PAGE_FILES_H
#define AQ_REPORTS_PAGE_FILES_H

#include <stdint.h>

extern const char aq_embedded_chart_js[], aq_embedded_charts_js[], aq_embedded_page_js[],
    aq_embedded_page_css[];
extern const uint64_t aq_embedded_chart_js_bytes, aq_embedded_charts_js_bytes, aq_embedded_page_js_bytes,
    aq_embedded_page_css_bytes;

#endif
