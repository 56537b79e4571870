// softmax(q k^T) v with int8 products of q and k and bf16 products of p and v, by the matrix instructions that every card since
// Ampere has (sm_80). Tiles of q and k, their scales and what is exact or rounded are those of attention8.cu; v is read as it is.
//
// A block of WARPS warps takes WARPS * ROWS queries of a head, ROWS of them a warp; the next tile of KEYS keys comes while one is computed
// on. What a card's shared memory holds decides on those numbers (AttentionKernels). Sums are float32, and the softmax's sum counts p as
// rounded. Results repeat to the bit.

#define HEAD 128
#define QUERY_TILE 64                     // as attention8_rows.cu lays q out
#define KEY_TILE 128                      // and k
#define BLOCK_ROWS (WARPS * ROWS)
#define GROUPS (ROWS / 16)
#define K_BYTES (KEYS * HEAD)
#define V_BYTES (KEYS * HEAD * 2)
#define STAGE_BYTES (K_BYTES + V_BYTES)
#define Q_BYTES (BLOCK_ROWS * HEAD)

#define INLINE __device__ __forceinline__

INLINE u32 shared_address(const void* pointer) { return (u32)__cvta_generic_to_shared(pointer); }

INLINE void fetch16(u32 to, const void* from, int bytes)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}
INLINE void fetches_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int left> INLINE void fetches_wait() { asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory"); }

INLINE void load4(u32 (&r)[4], u32 address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address) : "memory");
}
INLINE void load4_turned(u32 (&r)[4], u32 address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(address) : "memory");
}
INLINE void multiply_int8(int (&d)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
INLINE void multiply_bf16(float (&d)[4], const u32* a, u32 b0, u32 b1)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
INLINE float exp2_of(float x)
{
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

#define RIDE 0x4B400000
#define RIDE_FLOAT 12582912.0f
#define NO_KEY ((int)0xF149F2CAu)         // -1e30

// A score that rides, times a factor and less the maximum, as an exponent.
INLINE float soft(int score, float factor, float offset) { return exp2_of(fmaf(__int_as_float(score), factor, offset)); }

// Brings one tile of keys: k8 rows lie swizzled already, rows of v are swizzled on the way.
INLINE void bring(u32 stage, const u8* k, const u16* v, long long v_stride, int tile, int tokens)
{
    #pragma unroll
    for (int i = 0; i < K_BYTES / 16 / (THREADS); i++)
    {
        const int at = threadIdx.x + i * THREADS;
        fetch16(stage + at * 16, k + (long long)tile * K_BYTES + at * 16, 16);
    }
    #pragma unroll
    for (int i = 0; i < V_BYTES / 16 / (THREADS); i++)
    {
        const int at = threadIdx.x + i * THREADS, row = at / 16, piece = at % 16, token = tile * KEYS + row;
        const u16* from = v + (long long)min(token, tokens - 1) * v_stride + piece * 8;
        fetch16(stage + K_BYTES + row * 256 + ((piece ^ (row & 7)) << 4), from, token < tokens ? 16 : 0);
    }
    fetches_commit();
}

// Grid (ceil(tokens / BLOCK_ROWS), heads). `query_tiles` and `key_tiles` of a head as attention8_rows.cu lays them out.
extern "C" __global__ void __launch_bounds__(THREADS, 1)
attend(const u8* q, const u8* k, const u16* v, long long v_stride, const float* q_scales, const float* k_scales, u16* out,
           int tokens, int heads, int query_tiles, int key_tiles)
{
    extern __shared__ u8 memory[];
    const u32 shared = (shared_address(memory) + 127) & ~127u, shared_q = shared + STAGES * STAGE_BYTES;
    const int head = blockIdx.y, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int tiles = (tokens + KEYS - 1) / KEYS;
    const u8* my_k = k + (long long)head * key_tiles * (KEY_TILE * HEAD);
    const u16* my_v = v + head * HEAD;
    const u8* my_q = q + ((long long)head * query_tiles * QUERY_TILE + (long long)blockIdx.x * BLOCK_ROWS) * HEAD;
    #pragma unroll
    for (int i = 0; i < Q_BYTES / 16 / (THREADS); i++)
    {
        const int at = threadIdx.x + i * THREADS;
        const bool there = blockIdx.x * BLOCK_ROWS + at / 8 < query_tiles * QUERY_TILE;
        fetch16(shared_q + at * 16, my_q + (there ? at * 16 : 0), there ? 16 : 0);
    }
    #pragma unroll
    for (int i = 0; i < STAGES - 1; i++)
    {
        if (i < tiles) bring(shared + i * STAGE_BYTES, my_k, my_v, v_stride, i, tokens);
        else fetches_commit();
    }

    const int first = blockIdx.x * BLOCK_ROWS + warp * ROWS + lane / 4;
    float scale[GROUPS][2], maximum[GROUPS][2], sum[GROUPS][2];
    #pragma unroll
    for (int g = 0; g < GROUPS; g++)
    #pragma unroll
    for (int h = 0; h < 2; h++)
    {
        const int row = first + g * 16 + h * 8;
        scale[g][h] = row < tokens ? q_scales[(long long)head * tokens + row] : 0.0f;
        maximum[g][h] = -1e30f;
        sum[g][h] = 0.0f;
    }
    float output[GROUPS][16][4];
    #pragma unroll
    for (int g = 0; g < GROUPS; g++)
    #pragma unroll
    for (int i = 0; i < 16; i++)
    #pragma unroll
    for (int j = 0; j < 4; j++) output[g][i][j] = 0.0f;

    // Rows and pieces of the sixteen bytes that this lane points ldmatrix at
    const int a_row = lane % 16, a_piece = lane / 16;                   // q: 16 rows x 2 pieces
    const int b_row = (lane & 7) + (lane & 16) / 2, b_piece = (lane >> 3) & 1; // k: 16 keys x 2 pieces
    const int v_row = lane % 16, v_piece = lane / 16;                   // v: 16 keys x 2 pieces

    fetches_wait<STAGES - 2>();
    __syncthreads();
    u32 queries[GROUPS][4][4];
    #pragma unroll
    for (int g = 0; g < GROUPS; g++)
    #pragma unroll
    for (int part = 0; part < 4; part++)
    {
        const int row = warp * ROWS + g * 16 + a_row;
        load4(queries[g][part], shared_q + row * HEAD + (((part * 2 + a_piece) ^ (row & 7)) << 4));
    }
    for (int tile = 0; tile < tiles; tile++)
    {
        if (tile > 0)
        {
            fetches_wait<STAGES - 2>();
            __syncthreads();
        }
        const int next = tile + STAGES - 1;
        if (next < tiles) bring(shared + next % STAGES * STAGE_BYTES, my_k, my_v, v_stride, next, tokens);
        else fetches_commit();
        const u32 stage = shared + tile % STAGES * STAGE_BYTES;
        const float key_scale = k_scales[(long long)head * key_tiles + tile / (KEY_TILE / KEYS)];

        int scores[GROUPS][KEYS / 8][4];
        #pragma unroll
        for (int g = 0; g < GROUPS; g++)
        #pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
        #pragma unroll
        for (int j = 0; j < 4; j++) scores[g][n][j] = RIDE;
        #pragma unroll
        for (int part = 0; part < 4; part++)
        {
            #pragma unroll
            for (int n = 0; n < KEYS / 16; n++)
            {
                const int row = n * 16 + b_row;
                u32 keys[4];
                load4(keys, stage + row * HEAD + (((part * 2 + b_piece) ^ (row & 7)) << 4));
                #pragma unroll
                for (int g = 0; g < GROUPS; g++)
                {
                    multiply_int8(scores[g][2 * n], queries[g][part], keys[0], keys[1]);
                    multiply_int8(scores[g][2 * n + 1], queries[g][part], keys[2], keys[3]);
                }
            }
        }

        const int left = tokens - tile * KEYS;
        u32 p[GROUPS][KEYS / 16][4];
        #pragma unroll
        for (int g = 0; g < GROUPS; g++)
        {
            if (left < KEYS)
            {
                #pragma unroll
                for (int n = 0; n < KEYS / 8; n++)
                #pragma unroll
                for (int j = 0; j < 4; j++)
                    if (n * 8 + (lane % 4) * 2 + (j & 1) >= left) scores[g][n][j] = NO_KEY;
            }
            int high = scores[g][0][0], low = scores[g][0][2];
            #pragma unroll
            for (int n = 0; n < KEYS / 8; n++)
            {
                high = max(high, max(scores[g][n][0], scores[g][n][1]));
                low = max(low, max(scores[g][n][2], scores[g][n][3]));
            }
            high = max(high, __shfl_xor_sync(0xffffffffu, high, 1));
            low = max(low, __shfl_xor_sync(0xffffffffu, low, 1));
            high = max(high, __shfl_xor_sync(0xffffffffu, high, 2));
            low = max(low, __shfl_xor_sync(0xffffffffu, low, 2));
            const float f0 = scale[g][0] * key_scale, f1 = scale[g][1] * key_scale;
            const float now0 = fmaxf(maximum[g][0], (__int_as_float(high) - RIDE_FLOAT) * f0);
            const float now1 = fmaxf(maximum[g][1], (__int_as_float(low) - RIDE_FLOAT) * f1);
            const float shrink0 = exp2_of(maximum[g][0] - now0), shrink1 = exp2_of(maximum[g][1] - now1);
            maximum[g][0] = now0;
            maximum[g][1] = now1;
            const float c0 = -fmaf(RIDE_FLOAT, f0, now0), c1 = -fmaf(RIDE_FLOAT, f1, now1);
            float sum0 = 0.0f, sum1 = 0.0f;
            #pragma unroll
            for (int n = 0; n < KEYS / 8; n++)
            {
                const int (&four)[4] = scores[g][n];
                const u32 upper = pack_bf16(soft(four[0], f0, c0), soft(four[1], f0, c0));
                const u32 lower = pack_bf16(soft(four[2], f1, c1), soft(four[3], f1, c1));
                sum0 += bf16_low(upper) + bf16_high(upper);
                sum1 += bf16_low(lower) + bf16_high(lower);
                p[g][n / 2][(n & 1) * 2] = upper;
                p[g][n / 2][(n & 1) * 2 + 1] = lower;
            }
            sum[g][0] = fmaf(sum[g][0], shrink0, sum0);
            sum[g][1] = fmaf(sum[g][1], shrink1, sum1);
            #pragma unroll
            for (int i = 0; i < 16; i++)
            {
                output[g][i][0] *= shrink0;
                output[g][i][1] *= shrink0;
                output[g][i][2] *= shrink1;
                output[g][i][3] *= shrink1;
            }
        }
        #pragma unroll
        for (int n = 0; n < KEYS / 16; n++)
        {
            #pragma unroll
            for (int i = 0; i < 8; i++)
            {
                const int row = n * 16 + v_row;
                u32 values[4];
                load4_turned(values, stage + K_BYTES + row * 256 + (((i * 2 + v_piece) ^ (row & 7)) << 4));
                #pragma unroll
                for (int g = 0; g < GROUPS; g++)
                {
                    multiply_bf16(output[g][2 * i], p[g][n], values[0], values[1]);
                    multiply_bf16(output[g][2 * i + 1], p[g][n], values[2], values[3]);
                }
            }
        }
    }

    #pragma unroll
    for (int g = 0; g < GROUPS; g++)
    #pragma unroll
    for (int h = 0; h < 2; h++)
    {
        float total = sum[g][h];
        total += __shfl_xor_sync(0xffffffffu, total, 1);
        total += __shfl_xor_sync(0xffffffffu, total, 2);
        const float inverse = 1.0f / total;
        const int row = first + g * 16 + h * 8;
        if (row >= tokens) continue;
        u32* to = (u32*)(out + ((long long)row * heads + head) * HEAD + (lane % 4) * 2);
        #pragma unroll
        for (int i = 0; i < 16; i++) to[i * 4] = pack_bf16(output[g][i][h * 2] * inverse, output[g][i][h * 2 + 1] * inverse);
    }
}
