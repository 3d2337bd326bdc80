/* fork and exec by hand, since libuv offers no place between them: the child asks the kernel there to be
   killed when its parent ends, however that ends. Its own end is told by a descriptor of the process, so that
   nothing here depends on signal handlers and no other child is ever touched. */
#include "sim/exec_uv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

#define TAIL_BYTES     2048 /* kept of what the process wrote */
#define SHOWN_BYTES    480  /* of them in a message: several lines, with room for the rest of it */
#define REAP_FOR_MS    5000 /* a killed process is gone at once, unless the kernel waits for a device */
#define CODE_NOT_FOUND 127

struct aq_exec {
    struct aq_exec_config config;
    pid_t pid;
    int process_fd;
    uv_poll_t poll;
    uv_pipe_t output;
    uint32_t open_handles;
    bool reaped;
    int status; /* as of waitpid, once reaped */
    char ending[32];
    uint32_t tail_len;
    char tail[TAIL_BYTES];
    char shown[SHOWN_BYTES + 1];
    char chunk[4096];
};

/* ---- the child, between fork and exec: only what is safe there ---- */

static void become(const struct aq_exec_config *config, pid_t parent, int output, int failure) {
    sigset_t none;
    int nothing = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(CODE_NOT_FOUND); /* it ended before the kernel was asked */
    if (nothing >= 0 && dup2(nothing, 0) >= 0 && dup2(output, 1) >= 0 && dup2(output, 2) >= 0) {
        close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
        execvpe(config->arguments[0], config->arguments, config->environment);
    }
    int why = errno;
    if (write(failure, &why, sizeof why) < 0) _exit(CODE_NOT_FOUND);
    _exit(CODE_NOT_FOUND);
}

/* ---- what it writes ---- */

static void keep(struct aq_exec *p, const char *at, size_t len) {
    if (len > TAIL_BYTES) {
        at += len - TAIL_BYTES;
        len = TAIL_BYTES;
    }
    uint32_t over = p->tail_len + len > TAIL_BYTES ? (uint32_t)(p->tail_len + len - TAIL_BYTES) : 0;
    memmove(p->tail, p->tail + over, p->tail_len - over);
    p->tail_len -= over;
    memcpy(p->tail + p->tail_len, at, len);
    p->tail_len += (uint32_t)len;
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
    struct aq_exec *p = handle->data;
    (void)wanted;
    *buffer = uv_buf_init(p->chunk, sizeof p->chunk);
}

static void on_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer) {
    struct aq_exec *p = stream->data;
    if (len > 0)
        keep(p, buffer->base, (size_t)len);
    else if (len < 0)
        uv_read_stop(stream);
}

/* What is still in the pipe: the loop may tell of the end first. */
static void read_rest(struct aq_exec *p) {
    uv_os_fd_t fd;
    ssize_t len;
    if (uv_fileno((uv_handle_t *)&p->output, &fd)) return;
    while ((len = read(fd, p->chunk, sizeof p->chunk)) > 0)
        keep(p, p->chunk, (size_t)len);
}

const char *aq_exec_last_lines(struct aq_exec *p) {
    if (p->reaped) read_rest(p);
    uint32_t end = p->tail_len, used = 0;
    while (end && (p->tail[end - 1] == '\n' || p->tail[end - 1] == ' '))
        end--;
    uint32_t from = end > SHOWN_BYTES / 2 ? end - SHOWN_BYTES / 2 : 0;
    for (uint32_t i = from; i < end && used + 3 < SHOWN_BYTES; i++) {
        unsigned char c = (unsigned char)p->tail[i];
        if (c == '\n') {
            memcpy(p->shown + used, " | ", 3);
            used += 3;
        } else {
            p->shown[used++] = c < ' ' || c == 127 ? ' ' : (char)c;
        }
    }
    p->shown[used] = 0;
    return used ? p->shown : "(none)";
}

/* ---- its end ---- */

static void reap(struct aq_exec *p) {
    if (p->reaped || waitpid(p->pid, &p->status, WNOHANG) != p->pid) return;
    p->reaped = true;
    if (WIFSIGNALED(p->status))
        snprintf(p->ending, sizeof p->ending, "signal %d", WTERMSIG(p->status));
    else
        snprintf(p->ending, sizeof p->ending, "exit status %d", WEXITSTATUS(p->status));
}

const char *aq_exec_ending(const struct aq_exec *p) {
    return p->reaped ? p->ending : "still running";
}

static void on_ended(uv_poll_t *poll, int status, int events) {
    struct aq_exec *p = poll->data;
    (void)status;
    (void)events;
    reap(p);
    if (!p->reaped) return;
    uv_poll_stop(poll);
    p->config.ended(p->config.owner);
}

static void on_closed(uv_handle_t *handle) {
    struct aq_exec *p = handle->data;
    if (--p->open_handles) return;
    close(p->process_fd);
    aq_free(p);
}

static void release(struct aq_exec *p) {
    uv_close((uv_handle_t *)&p->poll, on_closed);
    uv_close((uv_handle_t *)&p->output, on_closed);
}

void aq_exec_end(struct aq_exec *p) {
    if (!p) return;
    kill(-p->pid, SIGKILL); /* where it is reaped, what it has left behind in its group */
    if (!p->reaped) {
        struct pollfd ended = {.fd = p->process_fd, .events = POLLIN};
        poll(&ended, 1, REAP_FOR_MS);
        reap(p);
    }
    release(p);
}

/* ---- its start ---- */

static int make_handles(struct aq_exec *p, int output) {
    uv_poll_init(p->config.loop, &p->poll, p->process_fd);
    uv_pipe_init(p->config.loop, &p->output, 0);
    p->poll.data = p->output.data = p;
    p->open_handles = 2;
    if (uv_pipe_open(&p->output, output)) {
        close(output);
        return AQ_EIO;
    }
    if (uv_read_start((uv_stream_t *)&p->output, on_alloc, on_output)) return AQ_EIO;
    return uv_poll_start(&p->poll, UV_READABLE, on_ended) ? AQ_EIO : 0;
}

/* In the parent. Waits for the exec, which closes the pipe, or its failure, which says why. */
static int await_exec(int failure) {
    int why = 0;
    ssize_t len;
    do
        len = read(failure, &why, sizeof why);
    while (len < 0 && errno == EINTR);
    return len == (ssize_t)sizeof why ? why : 0;
}

static int start(struct aq_exec *p, int output[2], int failure[2]) {
    pid_t parent = getpid();
    p->pid = fork();
    if (p->pid < 0) return errno;
    if (p->pid == 0) become(&p->config, parent, output[1], failure[1]);
    setpgid(p->pid, p->pid); /* in both, so that it is done whoever comes first */
    close(output[1]);
    close(failure[1]);
    output[1] = failure[1] = -1;
    int why = await_exec(failure[0]);
    p->process_fd = why ? -1 : pidfd_open(p->pid, 0);
    if (!why && p->process_fd < 0) why = errno;
    if (why) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, &p->status, 0);
    }
    return why;
}

static void close_both(const int fds[2]) {
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0) close(fds[i]);
}

int aq_exec_start(const struct aq_exec_config *config, struct aq_exec **out, struct aq_error *error) {
    int output[2] = {-1, -1}, failure[2] = {-1, -1};
    struct aq_exec *p = aq_alloc_zeroed(1, sizeof *p);
    if (!p) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    p->config = *config;
    int why = pipe2(output, O_CLOEXEC) || pipe2(failure, O_CLOEXEC) ? errno : start(p, output, failure);
    if (!why && fcntl(output[0], F_SETFL, O_NONBLOCK)) why = errno;
    if (why) {
        close_both(output);
        close_both(failure);
        aq_free(p);
        return aq_error_set(error, AQ_EIO, "%s cannot be run: %s", config->arguments[0], strerror(why));
    }
    close(failure[0]);
    if (make_handles(p, output[0])) {
        aq_exec_end(p);
        return aq_error_set(error, AQ_EIO, "%s cannot be watched", config->arguments[0]);
    }
    *out = p;
    return 0;
}
