/* The driver's management library as a test wants it: every answer comes from the text file STATE, read anew for each call.
 *   driver VERSION
 *   card UUID NAME TOTAL USED UTILISATION TEMPERATURE MILLIWATTS LIMIT MAJOR MINOR      (a figure of -1: not supported; ~ in a name is a space)
 *   process CARD PID USED                                                     (used -1: the driver can't tell)
 * What the driver reports stands in the file EVENTS, a line each, and is told once to whoever listens from before: CARD XID
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT = 7, TIMEOUT = 10, LOST = 15, MOST = 8 };

struct card { char uuid[96], name[96]; long long total, used, utilisation, temperature, milliwatts, limit, major, minor; };
struct process { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; };
struct memory { unsigned long long total, free, used; };
struct state { char driver[96]; int cards, processes, of[4096]; struct card card[MOST]; struct process process[4096]; };

static int look(struct state *s)
{
    char line[512];
    FILE *file = fopen(STATE, "r");
    memset(s, 0, sizeof *s);
    if (!file) return LOST;
    while (fgets(line, sizeof line, file)) {
        struct card *c = &s->card[s->cards];
        long long used;
        if (sscanf(line, "driver %95s", s->driver) == 1) continue;
        if (s->cards < MOST && sscanf(line, "card %95s %95s %lld %lld %lld %lld %lld %lld %lld %lld", c->uuid, c->name, &c->total, &c->used, &c->utilisation,
                   &c->temperature, &c->milliwatts, &c->limit, &c->major, &c->minor) == 10) {
            for (char *at = c->name; *at; at++) if (*at == '~') *at = ' ';
            s->cards++;
            continue;
        }
        if (s->processes < 4096 && sscanf(line, "process %d %u %lld", &s->of[s->processes], &s->process[s->processes].pid, &used) == 3)
            s->process[s->processes++].used = (unsigned long long)used;
    }
    fclose(file);
    return OK;
}

static int at(void *device, struct state *s, struct card **card)
{
    long index = (long)device - 1;
    int code = look(s);
    if (code != OK) return code;
    if (index < 0 || index >= s->cards) return INVALID;
    *card = &s->card[index];
    return OK;
}

static int tell(long long figure, unsigned *value)
{
    *value = (unsigned)figure;
    return figure < 0 ? NOT_SUPPORTED : OK;
}

#define ASK struct state s; struct card *card; int code = at(device, &s, &card); if (code != OK) return code

int nvmlInit_v2(void) { struct state s; return look(&s); }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == LOST ? "GPU is lost" : "Unknown Error"; }
int nvmlSystemGetDriverVersion(char *text, unsigned length) { struct state s; int code = look(&s); snprintf(text, length, "%s", s.driver); return code; }
int nvmlDeviceGetCount_v2(unsigned *count) { struct state s; int code = look(&s); *count = (unsigned)s.cards; return code; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = (void *)(long)(index + 1); return OK; }
int nvmlDeviceGetUUID(void *device, char *text, unsigned length) { ASK; snprintf(text, length, "%s", card->uuid); return OK; }
int nvmlDeviceGetName(void *device, char *text, unsigned length) { ASK; snprintf(text, length, "%s", card->name); return OK; }
int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) { ASK; *minor = (int)card->minor; return tell(card->major, (unsigned *)major); }
int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) { ASK; return tell(card->milliwatts, milliwatts); }
int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *limit) { ASK; return tell(card->limit, limit); }
int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius) { ASK; return sensor != 0 ? INVALID : tell(card->temperature, celsius); }

int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory)
{
    ASK;
    memory->total = (unsigned long long)card->total;
    memory->used = (unsigned long long)card->used;
    memory->free = memory->total - memory->used;
    return OK;
}

int nvmlDeviceGetUtilizationRates(void *device, unsigned *gpu_and_memory)
{
    ASK;
    gpu_and_memory[1] = 0;
    return tell(card->utilisation, gpu_and_memory);
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, struct process *processes)
{
    unsigned room = *count, found = 0;
    int i;
    ASK;
    for (i = 0; i < s.processes; i++) {
        if (s.of[i] != (long)device - 1) continue;
        if (found < room) processes[found] = s.process[i];
        found++;
    }
    *count = found;
    return found > room ? INSUFFICIENT : OK;
}

struct event { void *device; unsigned long long type, data; unsigned gpu_instance, compute_instance; };
struct set { long told; unsigned long cards; };

static struct set sets[64];
static int made;

/* The event of that number, counted from 0, or -1. */
static int reported(long number, long *xid)
{
    FILE *file = fopen(EVENTS, "r");
    int card = -1;
    long at;
    if (!file) return -1;
    for (at = 0; fscanf(file, "%d %ld", &card, xid) == 2; at++)
        if (at == number) { fclose(file); return card; }
    fclose(file);
    return -1;
}

int nvmlEventSetCreate(void **set)
{
    struct set *one = &sets[made++ % 64];
    long xid;
    one->cards = 0;
    for (one->told = 0; reported(one->told, &xid) >= 0; one->told++) ;
    *set = one;
    return OK;
}

int nvmlEventSetFree(void *set) { (void)set; return OK; }
int nvmlDeviceGetSupportedEventTypes(void *device, unsigned long long *types) { ASK; *types = 0x1f; return OK; }

int nvmlDeviceRegisterEvents(void *device, unsigned long long types, void *set)
{
    ASK;
    if (!(types & 8)) return INVALID;
    ((struct set *)set)->cards |= 1ul << ((long)device - 1);
    return OK;
}

int nvmlEventSetWait_v2(void *set, struct event *event, unsigned milliseconds)
{
    struct set *one = set;
    long xid, waited;
    for (waited = 0; waited <= milliseconds; waited += 10) {
        int card = reported(one->told, &xid);
        if (card >= 0) {
            one->told++;
            if (!(one->cards & 1ul << card)) continue;
            event->device = (void *)(long)(card + 1);
            event->type = 8;
            event->data = (unsigned long long)xid;
            event->gpu_instance = event->compute_instance = 0xffffffffu;
            return OK;
        }
        usleep(10000);
    }
    return TIMEOUT;
}
