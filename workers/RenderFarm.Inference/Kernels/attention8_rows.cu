// The joined projection's q, k and v to the eight-bit tiles that attention8.cu reads. HEAD is 128; dim is HEADS * HEAD.
//
//   q, k = RMS norm over the full row, times a weight, turned by the token's angles    (as in rope.cu, kept in float)
//   q8   = int8(rotate(q) / s), s = max|.| / 127, one s a token and head
//   k8   = int8(rotate(k - mean) / s), one s per 128 tokens of a head; mean over a sample of the tokens
//   v8   = e4m3(v / s), s = max|v| / 448, one s a channel over all tokens
//
// Taking one vector from every key adds the same number to all of a query's scores, which the softmax takes out again: so the
// mean need only be near. `rotate` is the orthonormal Hadamard matrix over every 32 channels, which spreads outliers and leaves every
// product q.k as it is; over all 128 it would spread them hardly better (an error of 0.0211 instead of 0.0214, 0.0257 without).
//
// Tiles lie as the matrix units read them: rows of 128 bytes, the sixteen-byte pieces of a row exchanged by (row & 7), which
// is the 128-byte swizzle. Tiles of q are 64 tokens, of k 128 tokens, both [head][tile][token][channel]; those of v are
// [head][tile][channel][token], 128 x 128, tokens of each sixteen in the order 0 1 8 9 2 3 10 11 4 5 12 13 6 7 14 15.
// What lies behind the last token is zero in k and v. A NaN in a row ends in its scale, and so in the result.
//
// Compile-time: DIM, THREADS (for `queries`). Rows of q, k and v lie `stride` elements apart.

#define HEAD 128
#define HEADS (DIM / HEAD)
#define PIECES (HEAD / 8)                 // of eight elements, a thread's share of a row
#define KEYS 128                          // of a tile
#define SAMPLES 512                       // tokens that the mean is taken over
#define TILE_THREADS 256
#define TILE_ROWS (TILE_THREADS / PIECES)
#define INT8_MAX 127.0f

// fmaxf drops NaN; what is not a number must be seen.
__device__ __forceinline__ float max_or_nan(float a, float b)
{
    float largest;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(largest) : "f"(a), "f"(b));
    return largest;
}

// A maximum too small to divide by counts as none; NaN stays NaN.
__device__ __forceinline__ float quantum_of(float largest, float most) { return largest < 1e-30f ? 1.0f : largest / most; }

// Integers up to 2^22 ride in the low bits of a float of this size: adding rounds to the nearest even, the low byte is the int8.
__device__ __forceinline__ u32 pack_int8(float a, float b, float c, float d)
{
    const float ride = 12582912.0f;
    const u32 low = __byte_perm(__float_as_uint(a + ride), __float_as_uint(b + ride), 0x0040);
    const u32 high = __byte_perm(__float_as_uint(c + ride), __float_as_uint(d + ride), 0x0040);
    return __byte_perm(low, high, 0x5410);
}

__device__ __forceinline__ void unpack(const uint4 in, float (&x)[8])
{
    const u32 p[4] = { in.x, in.y, in.z, in.w };
    #pragma unroll
    for (int j = 0; j < 4; j++) { x[2 * j] = bf16_low(p[j]); x[2 * j + 1] = bf16_high(p[j]); }
}

// Eight elements of a row: norm, weight and angles. `piece` counts from the row's start, `turns` are the token's.
__device__ __forceinline__ void norm_and_turn(float (&x)[8], float factor, const float4* weight, const float2* turns, int piece)
{
    const float4 w0 = weight[piece * 2], w1 = weight[piece * 2 + 1];
    const float w[8] = { w0.x, w0.y, w0.z, w0.w, w1.x, w1.y, w1.z, w1.w };
    const float4* pairs = (const float4*)(turns + (piece % PIECES) * 4);
    const float4 t0 = pairs[0], t1 = pairs[1];
    const float t[8] = { t0.x, t0.y, t0.z, t0.w, t1.x, t1.y, t1.z, t1.w };
    #pragma unroll
    for (int j = 0; j < 8; j += 2)
    {
        const float a = x[j] * factor * w[j], b = x[j + 1] * factor * w[j + 1];
        x[j] = a * t[j] - b * t[j + 1];
        x[j + 1] = a * t[j + 1] + b * t[j];
    }
}

// Four neighbouring threads hold 32 channels; every thread of the warp must come here.
__device__ __forceinline__ void rotate(float (&x)[8], int piece)
{
    #pragma unroll
    for (int step = 1; step < 8; step *= 2)
    {
        #pragma unroll
        for (int j = 0; j < 8; j++)
        {
            if (j & step) continue;
            const float a = x[j], b = x[j + step];
            x[j] = a + b;
            x[j + step] = a - b;
        }
    }
    #pragma unroll
    for (int step = 1; step < 4; step *= 2)
    {
        const float sign = (piece & step) ? -1.0f : 1.0f;
        #pragma unroll
        for (int j = 0; j < 8; j++) x[j] = fmaf(sign, x[j], __shfl_xor_sync(0xffffffffu, x[j], step));
    }
    #pragma unroll
    for (int j = 0; j < 8; j++) x[j] *= 0.17677669529663687f; // 1 / sqrt(32)
}

// Where the eight bytes of (row, piece) go in a tile of rows of 128 bytes, in units of eight bytes.
__device__ __forceinline__ int swizzled(int row, int piece) { return row * 16 + (((piece >> 1) ^ (row & 7)) << 1) + (piece & 1); }

// Grid (tokens, 2): y 0 makes q8 and its scales, times `temper` (the softmax's factor and the base-2 logarithm of e);
// y 1 leaves the norms' factors of k. One block a row, which stays in registers.
#define VECTORS ((DIM / 8 + THREADS - 1) / THREADS)

extern "C" __global__ void __launch_bounds__(THREADS)
queries(const u16* q, const u16* k, const float* weight, long long stride, float epsilon, float temper, const float2* table,
        int tokens, int tiles, uint2* q8, float* scales, float* key_factors)
{
    const int row = blockIdx.x;
    const uint4* in = (const uint4*)((blockIdx.y ? k : q) + row * stride);
    float x[VECTORS][8];
    float squares = 0.0f;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        unpack(at < DIM / 8 ? in[at] : make_uint4(0, 0, 0, 0), x[i]);
        #pragma unroll
        for (int j = 0; j < 8; j++) squares = fmaf(x[i][j], x[i][j], squares);
    }
    const float factor = rsqrtf(block_reduce<Sum>(squares) * (1.0f / DIM) + epsilon);
    if (blockIdx.y)
    {
        if (threadIdx.x == 0) key_factors[row] = factor;
        return;
    }

    const float2* turns = table + (long long)row * (HEAD / 2);
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS, head = at / PIECES, piece = at % PIECES;
        const bool mine = at < DIM / 8;
        if (mine) norm_and_turn(x[i], factor, (const float4*)weight, turns, at);
        rotate(x[i], piece);
        float largest = 0.0f;
        #pragma unroll
        for (int j = 0; j < 8; j++) largest = max_or_nan(largest, fabsf(x[i][j]));
        #pragma unroll
        for (int step = 1; step < PIECES; step *= 2) largest = max_or_nan(largest, __shfl_xor_sync(0xffffffffu, largest, step));
        if (!mine) continue;
        const float quantum = quantum_of(largest, INT8_MAX), inverse = 1.0f / quantum;
        const long long tile = (long long)head * tiles + row / 64;
        q8[tile * (64 * PIECES) + swizzled(row % 64, piece)] = make_uint2(
            pack_int8(x[i][0] * inverse, x[i][1] * inverse, x[i][2] * inverse, x[i][3] * inverse),
            pack_int8(x[i][4] * inverse, x[i][5] * inverse, x[i][6] * inverse, x[i][7] * inverse));
        if (piece == 0) scales[(long long)head * tokens + row] = quantum * temper;
    }
}

// One block a head: the mean of `SAMPLES` keys that lie evenly among the tokens (all of them, where there are fewer).
#define MEAN_THREADS 512
#define MEAN_ROWS (MEAN_THREADS / PIECES)

extern "C" __global__ void __launch_bounds__(MEAN_THREADS)
key_means(const u16* k, const float* weight, long long stride, const float2* table, const float* key_factors, int tokens, float* means)
{
    __shared__ float partial[MEAN_ROWS][HEAD];
    const int head = blockIdx.x, piece = threadIdx.x % PIECES, first = threadIdx.x / PIECES;
    const int samples = tokens < SAMPLES ? tokens : SAMPLES;
    float sum[8] = { 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f };
    #pragma unroll 4
    for (int i = first; i < samples; i += MEAN_ROWS)
    {
        const long long row = (long long)i * tokens / samples;
        float x[8];
        unpack(((const uint4*)(k + row * stride))[head * PIECES + piece], x);
        norm_and_turn(x, key_factors[row], (const float4*)weight, table + row * (HEAD / 2), head * PIECES + piece);
        #pragma unroll
        for (int j = 0; j < 8; j++) sum[j] += x[j];
    }
    #pragma unroll
    for (int j = 0; j < 8; j++) partial[first][piece * 8 + j] = sum[j];
    __syncthreads();
    if (threadIdx.x >= HEAD) return;
    float total = 0.0f;
    for (int i = 0; i < MEAN_ROWS; i++) total += partial[i][threadIdx.x];
    means[head * HEAD + threadIdx.x] = total / samples;
}

// Grid (heads, tiles), so that blocks that run together read whole rows: a tile of k stays in registers between finding its
// maximum and rounding.
#define KEY_THREADS 512
#define KEY_ROWS (KEY_THREADS / PIECES)

extern "C" __global__ void __launch_bounds__(KEY_THREADS)
key_tiles(const u16* k, const float* weight, long long stride, const float2* table, const float* key_factors, const float* means,
          int tokens, uint2* k8, float* scales)
{
    __shared__ float partial[KEY_THREADS / 32];
    const int head = blockIdx.x, tile = blockIdx.y, piece = threadIdx.x % PIECES, first = threadIdx.x / PIECES;
    const float4* mean = (const float4*)(means + head * HEAD) + piece * 2;
    const float4 m0 = mean[0], m1 = mean[1];
    const float m[8] = { m0.x, m0.y, m0.z, m0.w, m1.x, m1.y, m1.z, m1.w };
    float x[KEYS / KEY_ROWS][8];
    float largest = 0.0f;
    #pragma unroll
    for (int i = 0; i < KEYS / KEY_ROWS; i++)
    {
        const int row = tile * KEYS + i * KEY_ROWS + first;
        #pragma unroll
        for (int j = 0; j < 8; j++) x[i][j] = 0.0f;
        if (row < tokens)
        {
            unpack(((const uint4*)(k + row * stride))[head * PIECES + piece], x[i]);
            norm_and_turn(x[i], key_factors[row], (const float4*)weight, table + (long long)row * (HEAD / 2), head * PIECES + piece);
            #pragma unroll
            for (int j = 0; j < 8; j++) x[i][j] -= m[j];
        }
        rotate(x[i], piece);
        #pragma unroll
        for (int j = 0; j < 8; j++) largest = max_or_nan(largest, fabsf(x[i][j]));
    }
    #pragma unroll
    for (int step = 1; step < 32; step *= 2) largest = max_or_nan(largest, __shfl_xor_sync(0xffffffffu, largest, step));
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = largest;
    __syncthreads();
    #pragma unroll
    for (int i = 0; i < KEY_THREADS / 32; i++) largest = max_or_nan(largest, partial[i]);

    const float quantum = quantum_of(largest, INT8_MAX), inverse = 1.0f / quantum;
    const long long at = (long long)head * gridDim.y + tile;
    uint2* out = k8 + at * (KEYS * PIECES);
    #pragma unroll
    for (int i = 0; i < KEYS / KEY_ROWS; i++)
        out[swizzled(i * KEY_ROWS + first, piece)] = make_uint2(
            pack_int8(x[i][0] * inverse, x[i][1] * inverse, x[i][2] * inverse, x[i][3] * inverse),
            pack_int8(x[i][4] * inverse, x[i][5] * inverse, x[i][6] * inverse, x[i][7] * inverse));
    if (threadIdx.x == 0) scales[at] = quantum;
}

// Grid (parts, heads): the largest |v| of every channel, as bits, which order as the floats do (NaN above all); starts at zero.
#define PART 512

extern "C" __global__ void __launch_bounds__(TILE_THREADS)
value_maxima(const u16* v, long long stride, int tokens, u32* maxima)
{
    __shared__ float partial[TILE_ROWS][HEAD];
    const int head = blockIdx.y, piece = threadIdx.x % PIECES, first = threadIdx.x / PIECES;
    const int end = min(tokens, ((int)blockIdx.x + 1) * PART);
    float largest[8] = { 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f };
    #pragma unroll 8
    for (int row = blockIdx.x * PART + first; row < end; row += TILE_ROWS)
    {
        float x[8];
        unpack(((const uint4*)(v + row * stride))[head * PIECES + piece], x);
        #pragma unroll
        for (int j = 0; j < 8; j++) largest[j] = max_or_nan(largest[j], fabsf(x[j]));
    }
    #pragma unroll
    for (int j = 0; j < 8; j++) partial[first][piece * 8 + j] = largest[j];
    __syncthreads();
    if (threadIdx.x >= HEAD) return;
    float most = 0.0f;
    for (int i = 0; i < TILE_ROWS; i++) most = max_or_nan(most, partial[i][threadIdx.x]);
    atomicMax(maxima + head * HEAD + threadIdx.x, __float_as_uint(most));
}

#if __CUDA_ARCH__ >= 890
// Grid (tiles, heads): v turned over, four tokens of a channel to a word. Leaves the channels' scales as well.
extern "C" __global__ void __launch_bounds__(TILE_THREADS)
value_tiles(const u16* v, long long stride, int tokens, const u32* maxima, uint4* v8, float* scales)
{
    __shared__ u32 turned[HEAD][KEYS / 4 + 1];
    const int tile = blockIdx.x, head = blockIdx.y, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    // a warp takes four pieces of eight channels by eight words of four tokens: no two threads on one bank
    const int piece = (warp % 4) * 4 + lane / 8;
    float inverse[8];
    #pragma unroll
    for (int j = 0; j < 8; j++)
    {
        const float quantum = quantum_of(__uint_as_float(maxima[head * HEAD + piece * 8 + j]), FP8_MAX);
        inverse[j] = 1.0f / quantum;
        if (tile == 0 && lane % 8 == 0 && warp < 4) scales[head * HEAD + piece * 8 + j] = quantum;
    }
    #pragma unroll
    for (int pass = 0; pass < 2; pass++)
    {
        const int word = (pass * 2 + warp / 4) * 8 + lane % 8;
        const int row = tile * KEYS + (word / 4) * 16 + (word % 4) * 2;
        float x[4][8];
        #pragma unroll
        for (int i = 0; i < 4; i++)
        {
            const int token = row + (i & 1) + (i & 2) * 4;
            unpack(token < tokens ? ((const uint4*)(v + token * stride))[head * PIECES + piece] : make_uint4(0, 0, 0, 0), x[i]);
        }
        #pragma unroll
        for (int j = 0; j < 8; j++)
            turned[piece * 8 + j][word] = pack_e4m3(x[0][j] * inverse[j], x[1][j] * inverse[j], x[2][j] * inverse[j], x[3][j] * inverse[j]);
    }
    __syncthreads();
    uint4* out = v8 + ((long long)head * gridDim.x + tile) * (HEAD * KEYS / 16);
    #pragma unroll
    for (int i = 0; i < HEAD * KEYS / 16 / TILE_THREADS; i++)
    {
        const int at = threadIdx.x + i * TILE_THREADS, channel = at / 8, part = at % 8;
        const u32* from = turned[channel] + part * 4;
        out[channel * 8 + (part ^ (channel & 7))] = make_uint4(from[0], from[1], from[2], from[3]);
    }
}
#endif
