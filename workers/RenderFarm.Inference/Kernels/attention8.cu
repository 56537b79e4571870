// softmax(q k^T) v on eight-bit tiles, for Hopper's matrix units (sm_90a): head size 128, no mask but the sequence's end.
//
//   s   = q8 k8^T                                  exact, in int32
//   p   = e4m3(2^(s * q_scale * k_scale - m))      m follows the row's running maximum, so that the largest p is 448
//   o   = sum p v8 / sum p * v_scale               of each tile of 128 keys in the matrix unit, tiles added in float32
//
// The mathematics (the order of the keys, p scaled to 448, tiles added outside the matrix unit) is that of SageAttention 2.
// Adding tiles outside matters: Hopper's fp8 units keep few bits of a running sum and lose a little at every addition, always
// towards zero, which over 32,760 keys is 15 % of the output. The sum of p comes from the same products, as eight more channels
// of v that are all one: it costs no additions, counts p as rounded, and loses what the numerator loses.
//
// A block takes 192 queries of a head: three groups of 128 threads with 64 queries each compute, a fourth has one thread that
// brings tiles of k and v, a ring of `STAGES` deep. Tiles lie as attention8_rows.cu leaves them, swizzled already, so each
// comes by one plain bulk copy. The output is [token][head][128] in bf16. Results repeat to the bit.

#define HEAD 128
#define KEYS 128                          // of a tile
#define ROWS 64                           // of a group: what one matrix instruction takes
#define GROUPS 3
#define STAGES 4
#define THREADS_A_GROUP 128

#define QUERY_BYTES (ROWS * HEAD)
#define TILE_BYTES (KEYS * HEAD)
#define ONES_BYTES (8 * KEYS)             // behind each tile of v
#define VALUE_BYTES (TILE_BYTES + ONES_BYTES)
#define FOUR_ONES 0x38383838u             // in e4m3

typedef unsigned long long u64;

#define INLINE __device__ __forceinline__

INLINE u32 shared_address(const void* pointer) { return (u32)__cvta_generic_to_shared(pointer); }

// Barriers in shared memory, by address. A wait names the parity of the phase that it wants to see completed.
INLINE void barrier_init(u32 barrier, u32 arrivals) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory"); }

INLINE void barrier_expect(u32 barrier, u32 bytes)
{
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

INLINE void barrier_arrive(u32 barrier) { asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory"); }

INLINE void barrier_wait(u32 barrier, u32 parity)
{
    u32 done;
    do
    {
        asm volatile("{\n.reg .pred done;\nmbarrier.try_wait.parity.shared::cta.b64 done, [%1], %2;\nselp.u32 %0, 1, 0, done;\n}\n"
                     : "=r"(done) : "r"(barrier), "r"(parity) : "memory");
    }
    while (!done);
}

// Expects and starts one copy from device memory; the barrier counts its bytes.
INLINE void fetch(u32 to, const void* from, u32 bytes, u32 barrier)
{
    barrier_expect(barrier, bytes);
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
                 ::"r"(to), "l"(from), "r"(bytes), "r"(barrier) : "memory");
}

// A matrix in shared memory: rows of 128 bytes, eight rows (1,024 bytes) apart from the next eight, 128-byte swizzle.
INLINE u64 matrix(u32 address) { return (u64)((address & 0x3FFFF) >> 4) | (1ull << 16) | ((u64)(1024 >> 4) << 32) | (1ull << 62); }

INLINE void products_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
INLINE void products_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
INLINE void products_wait() { asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory"); }

// Nothing that reads an accumulator may move up before the wait; the compiler can't know.
INLINE void settle(u32 (&accumulator)[64])
{
    #pragma unroll
    for (int j = 0; j < 64; j++) asm volatile("" : "+r"(accumulator[j]) :: "memory");
}

INLINE void settle(float (&accumulator)[68])
{
    #pragma unroll
    for (int j = 0; j < 68; j++) asm volatile("" : "+f"(accumulator[j]) :: "memory");
}

#define EIGHT(c, d, i) c(d[i]), c(d[i + 1]), c(d[i + 2]), c(d[i + 3]), c(d[i + 4]), c(d[i + 5]), c(d[i + 6]), c(d[i + 7])
#define ACCUMULATOR(c, d) EIGHT(c, d, 0), EIGHT(c, d, 8), EIGHT(c, d, 16), EIGHT(c, d, 24), EIGHT(c, d, 32), EIGHT(c, d, 40), EIGHT(c, d, 48), EIGHT(c, d, 56)
#define ACCUMULATOR_NAMES \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, " \
    "%26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, " \
    "%50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"

// 64 queries by 128 keys: scores += q k^T over 32 channels.
INLINE void multiply_scores(u32 (&scores)[64], u64 q, u64 k)
{
    asm volatile("wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {" ACCUMULATOR_NAMES "}, %64, %65, 1;"
                 : ACCUMULATOR("+r", scores) : "l"(q), "l"(k));
}

// 64 queries by 128 channels and 8 of ones: sums = p v over 32 keys, or += where `add` is 1. p comes from registers.
template <int add> INLINE void multiply_values(float (&sums)[68], const u32* p, u64 v)
{
    asm volatile("wgmma.mma_async.sync.aligned.m64n136k32.f32.e4m3.e4m3 {" ACCUMULATOR_NAMES ", %64, %65, %66, %67}, "
                 "{%68, %69, %70, %71}, %72, %73, 1, 1;"
                 : ACCUMULATOR("+f", sums), "+f"(sums[64]), "+f"(sums[65]), "+f"(sums[66]), "+f"(sums[67]) : "r"(p[0]), "r"(p[1]), "r"(p[2]), "r"(p[3]), "l"(v), "n"(add));
}

// Integers below 2^22 in the low bits of this float: the bits of RIDE + s are those of the float 12582912 + s. Scores that start
// here need no conversion, and as they all have one exponent, they order as integers do.
#define RIDE 0x4B400000u
#define RIDE_FLOAT 12582912.0f
#define NO_KEY 0xF149F2CAu                // -1e30
#define LOG2_OF_448 8.8073549220576041f

INLINE float exp2_of(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

INLINE int largest_of(int a, int b, int c) { return __vimax3_s32(a, b, c); }

// Four threads share a row.
INLINE int largest_of_row(int score)
{
    score = max(score, __shfl_xor_sync(0xffffffffu, score, 1));
    return max(score, __shfl_xor_sync(0xffffffffu, score, 2));
}

// What a thread knows of one of its two rows.
struct Row
{
    float scale;                          // of q, with the softmax's factor and log2(e)
    float maximum;                        // so far, less log2(448)
    float sum;                            // of p
    float shrink;                         // what earlier tiles are multiplied by

    INLINE void start(float scale_of_row) { scale = scale_of_row; maximum = -1e30f; sum = 0.0f; shrink = 1.0f; }

    // Takes a tile's largest score in; returns what is added to score * factor to make the exponent.
    INLINE float take(int largest, float factor)
    {
        const float now = fmaxf(maximum, fmaf(__int_as_float(largest) - RIDE_FLOAT, factor, -LOG2_OF_448));
        shrink = exp2_of(maximum - now);
        maximum = now;
        return -fmaf(RIDE_FLOAT, factor, now);
    }
};

// Scores to p, packed as the second product takes it. Of the 64 scores of a thread, elements 0 and 1 of every four belong to its
// upper row, 2 and 3 to its lower; `left` is how many keys the tile has and `column` the thread's first.
template <bool last> INLINE void soften(u32 (&scores)[64], u32 (&p)[16], Row& upper, Row& lower, float key_scale, int left, int column)
{
    if (last)
    {
        #pragma unroll
        for (int j = 0; j < 64; j++)
            if ((j / 4) * 8 + column + (j & 1) >= left) scores[j] = NO_KEY;
    }
    int high = (int)scores[0], low = (int)scores[2];
    #pragma unroll
    for (int j = 0; j < 64; j += 4)
    {
        high = largest_of(high, (int)scores[j], (int)scores[j + 1]);
        low = largest_of(low, (int)scores[j + 2], (int)scores[j + 3]);
    }
    const float f0 = upper.scale * key_scale, f1 = lower.scale * key_scale;
    const float c0 = upper.take(largest_of_row(high), f0), c1 = lower.take(largest_of_row(low), f1);
    #pragma unroll
    for (int pair = 0; pair < 8; pair++)  // of eights of keys
    {
        float e[8];
        #pragma unroll
        for (int j = 0; j < 8; j++)
            e[j] = exp2_of(fmaf(__uint_as_float(scores[pair * 8 + j]), (j & 2) ? f1 : f0, (j & 2) ? c1 : c0));
        const int at = (pair / 2) * 4 + (pair & 1) * 2;
        p[at] = pack_e4m3(e[0], e[1], e[4], e[5]);
        p[at + 1] = pack_e4m3(e[2], e[3], e[6], e[7]);
    }
}

// One thread: q once, then k and v tile after tile as places become free.
INLINE void bring(const u8* q, const u8* k, const u8* v, int tiles, u32 shared_q, u32 shared_k, u32 shared_v,
                  u32 full_q, u32 full_k, u32 full_v, u32 empty_k, u32 empty_v)
{
    fetch(shared_q, q, GROUPS * QUERY_BYTES, full_q);
    int stage = 0;
    u32 parity = 1;                       // a new barrier's phase before the first counts as completed
    for (int tile = 0; tile < tiles; tile++)
    {
        barrier_wait(empty_k + 8 * stage, parity);
        fetch(shared_k + stage * TILE_BYTES, k + (long long)tile * TILE_BYTES, TILE_BYTES, full_k + 8 * stage);
        barrier_wait(empty_v + 8 * stage, parity);
        fetch(shared_v + stage * VALUE_BYTES, v + (long long)tile * TILE_BYTES, TILE_BYTES, full_v + 8 * stage);
        if (++stage == STAGES) { stage = 0; parity ^= 1; }
    }
}

// Scores of one tile; k's place is free again afterwards.
INLINE void score(u32 (&scores)[64], u32 q, u32 k, u32 full, u32 empty, u32 parity, int lane)
{
    #pragma unroll
    for (int j = 0; j < 64; j++) scores[j] = RIDE;
    barrier_wait(full, parity);
    products_begin();
    #pragma unroll
    for (int part = 0; part < HEAD / 32; part++) multiply_scores(scores, matrix(q + part * 32), matrix(k + part * 32));
    products_commit();
    products_wait();
    settle(scores);
    __syncwarp();
    if (lane == 0) barrier_arrive(empty);
}

// The tile's p v, added to what the output is so far; v's place is free again afterwards.
INLINE void add_values(float (&output)[64], const u32 (&p)[16], u32 v, u32 full, u32 empty, u32 parity, Row& upper, Row& lower, int lane)
{
    float sums[68];
    barrier_wait(full, parity);
    products_begin();
    multiply_values<0>(sums, p, matrix(v));
    multiply_values<1>(sums, p + 4, matrix(v + 32));
    multiply_values<1>(sums, p + 8, matrix(v + 64));
    multiply_values<1>(sums, p + 12, matrix(v + 96));
    products_commit();
    products_wait();
    settle(sums);
    __syncwarp();
    if (lane == 0) barrier_arrive(empty);
    #pragma unroll
    for (int j = 0; j < 64; j++) output[j] = fmaf(output[j], (j & 2) ? lower.shrink : upper.shrink, sums[j]);
    upper.sum = fmaf(upper.sum, upper.shrink, sums[64]);
    lower.sum = fmaf(lower.sum, lower.shrink, sums[66]);
}

// Grid (ceil(tokens / 192), heads). q_scales [head][token], k_scales [head][tile], v_scales [head][channel].
extern "C" __global__ void __launch_bounds__((GROUPS + 1) * THREADS_A_GROUP, 1)
attend(const u8* q, const u8* k, const u8* v, const float* q_scales, const float* k_scales, const float* v_scales, u16* out, int tokens, int heads)
{
    extern __shared__ u8 memory[];
    __shared__ __align__(8) u64 barriers[1 + 4 * STAGES];
    const u32 shared_q = (shared_address(memory) + 1023) & ~1023u, shared_k = shared_q + GROUPS * QUERY_BYTES, shared_v = shared_k + STAGES * TILE_BYTES;
    const u32 full_q = shared_address(barriers), full_k = full_q + 8, full_v = full_k + 8 * STAGES, empty_k = full_v + 8 * STAGES, empty_v = empty_k + 8 * STAGES;
    const int group = threadIdx.x / THREADS_A_GROUP, head = blockIdx.y, tiles = (tokens + KEYS - 1) / KEYS;
    if (threadIdx.x == 0)
    {
        barrier_init(full_q, 1);
        for (int i = 0; i < STAGES; i++)
        {
            barrier_init(full_k + 8 * i, 1);
            barrier_init(full_v + 8 * i, 1);
            barrier_init(empty_k + 8 * i, GROUPS * 4); // each warp says that it is done
            barrier_init(empty_v + 8 * i, GROUPS * 4);
        }
    }
    // The ones are written once; fences show them and the barriers to the copies and the matrix units
    for (int i = threadIdx.x; i < STAGES * ONES_BYTES / 4; i += (GROUPS + 1) * THREADS_A_GROUP)
        asm volatile("st.shared.u32 [%0], %1;"
                     ::"r"(shared_v + i / (ONES_BYTES / 4) * VALUE_BYTES + TILE_BYTES + i % (ONES_BYTES / 4) * 4), "r"(FOUR_ONES) : "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    __syncthreads();

    if (group == GROUPS)
    {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 32;");
        if (threadIdx.x == GROUPS * THREADS_A_GROUP)
            bring(q + ((long long)head * gridDim.x + blockIdx.x) * (GROUPS * QUERY_BYTES), k + (long long)head * tiles * TILE_BYTES,
                  v + (long long)head * tiles * TILE_BYTES, tiles, shared_q, shared_k, shared_v, full_q, full_k, full_v, empty_k, empty_v);
        return;
    }

    asm volatile("setmaxnreg.inc.sync.aligned.u32 160;");
    const int lane = threadIdx.x % 32, column = (lane % 4) * 2;
    const int first = (blockIdx.x * GROUPS + group) * ROWS + (threadIdx.x / 32) % 4 * 16 + lane / 4, second = first + 8;
    Row upper, lower;
    upper.start(first < tokens ? q_scales[(long long)head * tokens + first] : 0.0f);
    lower.start(second < tokens ? q_scales[(long long)head * tokens + second] : 0.0f);
    const float* key_scales = k_scales + (long long)head * tiles;
    const u32 mine = shared_q + group * QUERY_BYTES;

    float output[64];
    #pragma unroll
    for (int j = 0; j < 64; j++) output[j] = 0.0f;
    u32 scores[64], p[16];
    int stage = 0;
    u32 parity = 0;
    float next = key_scales[0];
    barrier_wait(full_q, 0);
    for (int tile = 0; tile < tiles - 1; tile++)
    {
        const float key_scale = next;
        next = key_scales[tile + 1];
        score(scores, mine, shared_k + stage * TILE_BYTES, full_k + 8 * stage, empty_k + 8 * stage, parity, lane);
        soften<false>(scores, p, upper, lower, key_scale, 0, column);
        add_values(output, p, shared_v + stage * VALUE_BYTES, full_v + 8 * stage, empty_v + 8 * stage, parity, upper, lower, lane);
        if (++stage == STAGES) { stage = 0; parity ^= 1; }
    }
    score(scores, mine, shared_k + stage * TILE_BYTES, full_k + 8 * stage, empty_k + 8 * stage, parity, lane);
    soften<true>(scores, p, upper, lower, next, tokens - (tiles - 1) * KEYS, column);
    add_values(output, p, shared_v + stage * VALUE_BYTES, full_v + 8 * stage, empty_v + 8 * stage, parity, upper, lower, lane);

    const float inverse0 = 1.0f / upper.sum, inverse1 = 1.0f / lower.sum;
    u32* row0 = (u32*)(out + ((long long)first * heads + head) * HEAD + column);
    u32* row1 = (u32*)(out + ((long long)second * heads + head) * HEAD + column);
    const float* channels = v_scales + head * HEAD + column;
    #pragma unroll
    for (int i = 0; i < 16; i++)
    {
        const float2 s = *(const float2*)(channels + i * 8);
        if (first < tokens) row0[i * 4] = pack_bf16(output[i * 4] * inverse0 * s.x, output[i * 4 + 1] * inverse0 * s.y);
        if (second < tokens) row1[i * 4] = pack_bf16(output[i * 4 + 2] * inverse1 * s.x, output[i * 4 + 3] * inverse1 * s.y);
    }
}
