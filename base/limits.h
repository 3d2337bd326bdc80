/* Every fixed limit of the project, each with its reason. */
#ifndef AQ_BASE_LIMITS_H
#define AQ_BASE_LIMITS_H

#define AQ_MESSAGE_BYTES_MAX 600000 /* AllQueue's own default of SIZE_LIMIT and MSG_SIZE_LIMIT */
#define AQ_SERVER_ID_CHARS   7      /* AllQueue names a server by the first 7 characters of a base64 digest */
#define AQ_JOB_ID_CHARS      22     /* 16 random bytes in URL-safe base64, as AllQueue makes them */
#define AQ_JOB_REF_CHARS_MAX 79   /* "server,job" as an application sees it, with room for foreign servers */
#define AQ_TUBE_CHARS_MAX    200  /* AllQueue uses tube names as file names; a file name holds 255 bytes */
#define AQ_ADDRESS_CHARS_MAX 255  /* a DNS name holds at most 253 characters; plus a port */
#define AQ_SERVERS_MAX       4096 /* "a few servers"; a thousand are simulated */
#define AQ_CLIENTS_MAX       100000 /* a hundred times what AllQueue is made for */
#define AQ_WORKERS_MAX       5000000
#define AQ_JOBS_PER_GET_MAX  1000 /* jobs in one get_multiple_jobs; keeps one reply within 32-bit lengths */
/* AllQueue limits requests only; a reply holds each of its jobs twice */
#define AQ_REPLY_BYTES_MAX (2U * AQ_JOBS_PER_GET_MAX * AQ_MESSAGE_BYTES_MAX)
#define AQ_FIGURE_NAME_MAX                                                                                   \
    200 /* characters of an expected figure's name; the name of a fault may be in it                         \
         */
#define AQ_COMMANDS_MAX     1000 /* lines in a list of commands; as for faults */
#define AQ_FAULTS_MAX       1000 /* lines in a scenario's fault list */
#define AQ_PRIORITY_BUCKETS 10   /* AllQueue's PRIORITY_SIZE: buckets 0..9, of which 1..9 are reachable */

#endif
