#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "scenarios/nearest.h"

#define PATH_BYTES    4096
#define NAMES_MAX     10000 /* files of one library; guards against pointing it at a whole disk */
#define DEPTH_MAX     8     /* folders inside one another, likewise */
#define NEAREST_SHOWN 3

static bool is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* Writes "a/b". Errors: AQ_ELIMIT. */
static int join(char *out, size_t size, const char *a, const char *b) {
    int used = snprintf(out, size, "%s/%s", a, b);
    return used < 0 || (size_t)used >= size ? AQ_ELIMIT : 0;
}

/* ---- where the library is ---- */

/* The library is known by its schema.json, so that no other folder called scenarios is taken for it. */
static bool is_library(const char *path) {
    char schema[PATH_BYTES];
    return join(schema, sizeof schema, path, "schema.json") == 0 && is_file(schema);
}

/* The folder of the running program. */
static bool program_folder(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length <= 0 || (size_t)length >= size - 1) return false;
    path[length] = 0;
    char *slash = strrchr(path, '/');
    if (!slash) return false;
    *slash = 0;
    return true;
}

static bool find_library(char *found, size_t size) {
    static const char *const beside[] = {"../share/allqsim/scenarios", "../../../scenarios"};
    char folder[PATH_BYTES];
    if (program_folder(folder, sizeof folder))
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
            if (join(found, size, folder, beside[i]) == 0 && is_library(found)) return true;
    int used = snprintf(found, size, "%s", AQ_SCENARIOS_SOURCE_DIR);
    return used > 0 && (size_t)used < size && is_library(found);
}

int aq_scenario_library(char *path, size_t size, struct aq_error *error) {
    char found[PATH_BYTES], real[PATH_BYTES];
    const char *wanted = getenv("ALLQSIM_SCENARIOS");
    if (wanted && *wanted) {
        if (!is_folder(wanted) || strlen(wanted) >= sizeof found)
            return aq_error_set(error, AQ_ENOENT, "ALLQSIM_SCENARIOS: \"%.400s\" is not a folder", wanted);
        snprintf(found, sizeof found, "%s", wanted);
    } else if (!find_library(found, sizeof found)) {
        return aq_error_set(
            error, AQ_ENOENT,
            "the library of scenarios is neither beside the program nor in %s; set ALLQSIM_SCENARIOS to its folder",
            AQ_SCENARIOS_SOURCE_DIR);
    }
    if (!realpath(found, real) || strlen(real) >= size)
        return aq_error_set(error, AQ_ENOENT, "%s: not usable as the library of scenarios", found);
    memcpy(path, real, strlen(real) + 1);
    return 0;
}

/* ---- the names in it ---- */

struct names {
    char **list; /* owned, as the texts */
    uint32_t count, capacity;
};

static void names_close(struct names *names) {
    for (uint32_t i = 0; i < names->count; i++)
        aq_free(names->list[i]);
    aq_free(names->list);
}

/* Adds "outages/d1" for the file "outages/d1.json"; other files are passed over. */
static int names_add(struct names *names, const char *file) {
    size_t length = strlen(file);
    if (length <= 5 || strcmp(file + length - 5, ".json") != 0 || strcmp(file, "schema.json") == 0) return 0;
    if (names->count >= NAMES_MAX) return AQ_ELIMIT;
    if (aq_array_reserve(&names->list, &names->capacity, names->count + 1, sizeof *names->list))
        return AQ_ENOMEM;
    char *name = aq_alloc(length - 4);
    if (!name) return AQ_ENOMEM;
    memcpy(name, file, length - 5);
    name[length - 5] = 0;
    names->list[names->count++] = name;
    return 0;
}

static int collect(struct names *names, const char *library, const char *inside, int depth);

static int collect_entry(struct names *names, const char *library, const char *inside, const char *entry,
                         int depth) {
    char relative[PATH_BYTES], full[PATH_BYTES];
    if (*entry == '.') return 0;
    int rc = *inside ? join(relative, sizeof relative, inside, entry)
                     : (snprintf(relative, sizeof relative, "%s", entry) < PATH_BYTES ? 0 : AQ_ELIMIT);
    if (rc == 0) rc = join(full, sizeof full, library, relative);
    if (rc) return rc;
    if (!is_folder(full)) return names_add(names, relative);
    return depth < DEPTH_MAX ? collect(names, library, relative, depth + 1) : 0;
}

static int collect(struct names *names, const char *library, const char *inside, int depth) {
    char full[PATH_BYTES];
    int rc = join(full, sizeof full, library, inside);
    if (rc) return rc;
    DIR *folder = opendir(full);
    if (!folder) return AQ_EIO;
    const struct dirent *entry;
    while (rc == 0 && (entry = readdir(folder)))
        rc = collect_entry(names, library, inside, entry->d_name, depth);
    closedir(folder);
    return rc;
}

static int by_name(const void *a, const void *b) {
    const char *const *one = a, *const *other = b;
    return strcmp(*one, *other);
}

/* All names of the library, sorted; names_close frees them, also after a failure. */
static int names_read(struct names *names, const char *library, struct aq_error *error) {
    int rc = collect(names, library, "", 0);
    if (rc) return aq_error_set(error, rc, "%s: %s", library, aq_error_name(rc));
    if (names->count) qsort(names->list, names->count, sizeof *names->list, by_name);
    return 0;
}

/* ---- find and list ---- */

/* A name that stays inside the library: no empty part, none that starts with a dot. */
static bool is_library_name(const char *name) {
    for (const char *at = name;; at++) {
        size_t length = strcspn(at, "/");
        if (length == 0 || *at == '.') return false;
        at += length;
        if (!*at) return true;
    }
}

/* "; did you mean a, b?" with the nearest names. */
static void suggest(const struct names *names, const char *name, char *out, size_t size) {
    const char *list[NAMES_MAX];
    size_t count = names->count, used = 0;
    out[0] = 0;
    if (count) memcpy(list, names->list, count * sizeof *list);
    for (int shown = 0; shown < NEAREST_SHOWN; shown++) {
        const char *nearest = aq_word_nearest(name, list, count);
        if (!nearest) break;
        used += (size_t)snprintf(out + used, size - used, "%s\"%.60s\"", shown ? ", " : "; did you mean ",
                                 nearest);
        size_t at = 0;
        while (list[at] != nearest)
            at++;
        memmove(list + at, list + at + 1, (--count - at) * sizeof *list);
    }
    if (used) {
        snprintf(out + used, size - used, "?");
        return;
    }
    for (size_t i = 0; i < count && used + 100 < size; i++) {
        if (strchr(list[i], '/')) continue; /* too many to name are in folders */
        used +=
            (size_t)snprintf(out + used, size - used, "%s%.60s", used ? ", " : "; the library has ", list[i]);
    }
}

static int not_found(const char *name, const char *library, struct aq_error *error) {
    struct names names = {0};
    char hint[600];
    int rc = names_read(&names, library, error);
    if (rc == 0) {
        suggest(&names, name, hint, sizeof hint);
        rc = aq_error_set(error, AQ_ENOENT, "\"%.200s\" is neither a file nor a scenario of the library%s",
                          name, hint);
    }
    names_close(&names);
    return rc;
}

int aq_scenario_find(const char *name, char *path, size_t size, struct aq_error *error) {
    char library[PATH_BYTES], file[PATH_BYTES];
    if (is_file(name)) {
        if (strlen(name) >= size)
            return aq_error_set(error, AQ_ENOENT, "\"%.200s...\": the path is too long", name);
        memcpy(path, name, strlen(name) + 1);
        return 0;
    }
    int rc = aq_scenario_library(library, sizeof library, error);
    if (rc) return rc;
    int used = snprintf(file, sizeof file, "%s/%s.json", library, name);
    bool fits = used > 0 && (size_t)used < sizeof file && (size_t)used < size;
    if (!fits || !is_library_name(name) || strcmp(name, "schema") == 0 || !is_file(file))
        return not_found(name, library, error);
    memcpy(path, file, (size_t)used + 1);
    return 0;
}

/* ---- many at once ---- */

/* A folder's files, sorted by name; not those of folders in it. `label`: what the library calls the folder;
   NULL: it is none of the library. */
static int expand_folder(const char *folder, const char *label, const char *word, aq_scenario_visit visit,
                         void *arg, struct aq_error *error) {
    struct names names = {0};
    char shown[PATH_BYTES], path[PATH_BYTES];
    uint32_t found = 0;
    int rc = names_read(&names, folder, error);
    for (uint32_t i = 0; i < names.count && rc == 0; i++) {
        if (strchr(names.list[i], '/')) continue;
        found++;
        rc = join(path, sizeof path, folder, names.list[i]);
        if (rc == 0) rc = join(shown, sizeof shown, label ? label : folder, names.list[i]);
        if (rc == 0 && strlen(path) + 6 > sizeof path) rc = AQ_ELIMIT;
        if (rc) {
            aq_error_set(error, rc, "%s: the path is too long", names.list[i]);
            break;
        }
        strcat(path, ".json");
        rc = visit(arg, label ? shown : path, path);
    }
    names_close(&names);
    if (rc || found) return rc;
    return aq_error_set(error, AQ_ENOENT, "%s: a folder without scenarios: no file in it ends in .json",
                        word);
}

/* Its name without the slashes at its end. */
static void trim(char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
}

static int expand_library(const char *word, aq_scenario_visit visit, void *arg, struct aq_error *error) {
    char name[PATH_BYTES], library[PATH_BYTES], path[PATH_BYTES];
    int rc = aq_scenario_library(library, sizeof library, error);
    if (rc) return rc;
    snprintf(name, sizeof name, "%s", word);
    trim(name);
    if (is_library_name(name) && join(path, sizeof path, library, name) == 0 && is_folder(path))
        return expand_folder(path, name, word, visit, arg, error);
    rc = aq_scenario_find(word, path, sizeof path, error);
    return rc ? rc : visit(arg, word, path);
}

int aq_scenario_expand(const char *word, const char *base, aq_scenario_visit visit, void *arg,
                       struct aq_error *error) {
    char path[PATH_BYTES];
    int used = snprintf(path, sizeof path, "%s%s%s", base && *word != '/' ? base : "",
                        base && *word != '/' ? "/" : "", word);
    if (used < 0 || (size_t)used >= sizeof path)
        return aq_error_set(error, AQ_ENOENT, "\"%.200s...\": the path is too long", word);
    if (is_file(path)) return visit(arg, path, path);
    if (!is_folder(path)) return expand_library(word, visit, arg, error);
    trim(path);
    return expand_folder(path, NULL, word, visit, arg, error);
}

static int visit_file(const char *library, const char *name,
                      int (*visit)(void *arg, const struct aq_scenario_entry *entry), void *arg,
                      struct aq_error *error) {
    char path[PATH_BYTES];
    struct aq_error problem = {0};
    struct aq_scenario *scenario = NULL;
    if (snprintf(path, sizeof path, "%s/%s.json", library, name) >= PATH_BYTES)
        return aq_error_set(error, AQ_ELIMIT, "%s: the path is too long", name);
    int rc = aq_scenario_load(path, NULL, &scenario, &problem);
    if (rc == AQ_ENOMEM) return aq_error_set(error, rc, "%s", problem.text);
    struct aq_scenario_entry entry = {name, rc ? "" : scenario->summary, path, rc ? problem.text : NULL};
    rc = visit(arg, &entry);
    aq_scenario_free(scenario);
    return rc;
}

int aq_scenario_list(int (*visit)(void *arg, const struct aq_scenario_entry *entry), void *arg,
                     struct aq_error *error) {
    char library[PATH_BYTES];
    struct names names = {0};
    int rc = aq_scenario_library(library, sizeof library, error);
    if (rc) return rc;
    rc = names_read(&names, library, error);
    for (uint32_t i = 0; i < names.count && rc == 0; i++)
        rc = visit_file(library, names.list[i], visit, arg, error);
    names_close(&names);
    return rc;
}
