// What lies between the convolutions of a VAE, on frames with their channels innermost: [frame][row][column][DIM] in bf16, or in
// fp16 where HALF is 1. What a fp16 can't hold becomes infinite, and not a number in the next norm: it is never lost in silence.
//
// A convolution that sees three frames runs as one over pictures of 3 * DIM channels, each frame beside the two before it:
//
//   out [frame][pixel][3][DIM]        the frames f - 2, f - 1 and f
//   kept [2][pixel][DIM]              the last two frames of the chunk before, replaced by the last two of this one
//
// A thread follows its channels of one pixel through all frames of the chunk, so that kept is read before it is written and each
// frame is read once. Constants: LANES threads share a pixel, a power of two that divides DIM / 8, at most 32.

#define VECTORS (DIM / 8)
#define EACH (VECTORS / LANES)

struct Eight { float v[8]; };

#if HALF
__device__ __forceinline__ float one(u16 bits)
{
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}
__device__ __forceinline__ float low(u32 pair) { return one((u16)pair); }
__device__ __forceinline__ float high(u32 pair) { return one((u16)(pair >> 16)); }
__device__ __forceinline__ u32 two(float low, float high)
{
    u32 pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}
#else
__device__ __forceinline__ float one(u16 bits) { return bf16_low(bits); }
__device__ __forceinline__ float low(u32 pair) { return bf16_low(pair); }
__device__ __forceinline__ float high(u32 pair) { return bf16_high(pair); }
__device__ __forceinline__ u32 two(float low, float high) { return pack_bf16(low, high); }
#endif

__device__ __forceinline__ Eight unpack(uint4 p)
{
    return { { low(p.x), high(p.x), low(p.y), high(p.y), low(p.z), high(p.z), low(p.w), high(p.w) } };
}

__device__ __forceinline__ uint4 pack(const Eight& e)
{
    return make_uint4(two(e.v[0], e.v[1]), two(e.v[2], e.v[3]), two(e.v[4], e.v[5]), two(e.v[6], e.v[7]));
}

__device__ __forceinline__ float silu(float x) { return x / (1.0f + __expf(-x)); }

// x + bias of all channels of a pixel to silu(length sqrt(DIM) * gamma); lanes of a pixel hold its channels between them.
__device__ __forceinline__ void activate(uint4 (&now)[EACH], const uint4* bias, const uint4* gamma, int lane)
{
    Eight value[EACH];
    float squares = 0.0f;
    #pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        value[i] = unpack(now[i]);
        if (bias)
        {
            const Eight b = unpack(bias[lane + i * LANES]);
            #pragma unroll
            for (int j = 0; j < 8; j++) value[i].v[j] += b.v[j];
        }
        #pragma unroll
        for (int j = 0; j < 8; j++) squares = fmaf(value[i].v[j], value[i].v[j], squares);
    }
    #pragma unroll
    for (int offset = LANES / 2; offset > 0; offset >>= 1) squares += __shfl_xor_sync(0xffffffffu, squares, offset);
    const float factor = sqrtf((float)DIM) / fmaxf(sqrtf(squares), 1e-12f);
    #pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        const Eight g = unpack(gamma[lane + i * LANES]);
        #pragma unroll
        for (int j = 0; j < 8; j++) value[i].v[j] = silu(value[i].v[j] * factor * g.v[j]);
        now[i] = pack(value[i]);
    }
}

// Each frame beside the two before it; where gamma is given, bias added, normed and activated first.
extern "C" __global__ void __launch_bounds__(THREADS)
windows(const uint4* x, const uint4* bias, const uint4* gamma, uint4* kept, uint4* out, int pixels, int frames)
{
    const int lane = threadIdx.x % LANES;
    const long long pixel = (long long)blockIdx.x * (THREADS / LANES) + threadIdx.x / LANES;
    const bool inside = pixel < pixels;   // the others still take part in the sums
    const long long frame = (long long)pixels * VECTORS, at = (inside ? pixel : 0) * VECTORS + lane;
    uint4 first[EACH], second[EACH], now[EACH];
    #pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        first[i] = kept[at + i * LANES];
        second[i] = kept[frame + at + i * LANES];
    }
    for (int f = 0; f < frames; f++)
    {
        #pragma unroll
        for (int i = 0; i < EACH; i++) now[i] = x[f * frame + at + i * LANES];
        if (gamma) activate(now, bias, gamma, lane);
        uint4* window = out + 3 * (f * frame + at - lane) + lane;
        #pragma unroll
        for (int i = 0; i < EACH; i++)
        {
            if (inside)
            {
                window[i * LANES] = first[i];
                window[VECTORS + i * LANES] = second[i];
                window[2 * VECTORS + i * LANES] = now[i];
            }
            first[i] = second[i];
            second[i] = now[i];
        }
    }
    if (!inside) return;
    #pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        kept[at + i * LANES] = first[i];
        kept[frame + at + i * LANES] = second[i];
    }
}

// y += bias and, where it is given, x.
extern "C" __global__ void __launch_bounds__(THREADS)
add(uint4* y, const uint4* bias, const uint4* x, long long vectors)
{
    const long long at = (long long)blockIdx.x * THREADS + threadIdx.x;
    if (at >= vectors) return;
    Eight sum = unpack(y[at]);
    const Eight b = unpack(bias[at % VECTORS]);
    #pragma unroll
    for (int j = 0; j < 8; j++) sum.v[j] += b.v[j];
    if (x)
    {
        const Eight r = unpack(x[at]);
        #pragma unroll
        for (int j = 0; j < 8; j++) sum.v[j] += r.v[j];
    }
    y[at] = pack(sum);
}

// Each pixel becomes four; of `streams` frames whose channels lie side by side in a pixel, bias added where it is given, each becomes
// a frame of its own.  x [frame][pixel][streams][DIM], out [frame * streams + stream][2 * row][2 * column][DIM]
extern "C" __global__ void __launch_bounds__(THREADS)
enlarge(const uint4* x, const uint4* bias, uint4* out, int pixels, int width, int streams, long long vectors)
{
    const long long at = (long long)blockIdx.x * THREADS + threadIdx.x;
    if (at >= vectors) return;
    const int vector = at % VECTORS, stream = at / VECTORS % streams, pixel = at / (VECTORS * streams) % pixels;
    const long long frame = at / ((long long)VECTORS * streams * pixels) * streams + stream;
    uint4 value = x[at];
    if (bias)
    {
        Eight sum = unpack(value);
        const Eight b = unpack(bias[stream * VECTORS + vector]);
        #pragma unroll
        for (int j = 0; j < 8; j++) sum.v[j] += b.v[j];
        value = pack(sum);
    }
    const long long line = 2ll * width * VECTORS;
    uint4* to = out + (frame * pixels * 4 + (pixel / width) * 4ll * width + (pixel % width) * 2) * VECTORS + vector;
    to[0] = to[VECTORS] = to[line] = to[line + VECTORS] = value;
}

// y += x with each of its channels repeated and then unfolded into `times` frames, two rows and two columns; the first `skip` of
// the frames so made are left out.  x [frame][row][column][channels], y [frame][2 * row][2 * column][DIM]
extern "C" __global__ void __launch_bounds__(THREADS)
add_duplicated(uint4* y, const u16* x, int channels, int height, int width, int times, int skip, long long vectors)
{
    const long long at = (long long)blockIdx.x * THREADS + threadIdx.x;
    if (at >= vectors) return;
    const int first = at % VECTORS * 8, repeats = DIM * times * 4 / channels;
    const int column = at / VECTORS % (2 * width), row = at / ((long long)VECTORS * 2 * width) % (2 * height);
    const long long made = at / ((long long)VECTORS * 4 * width * height) + skip;
    const int part = (made % times) * 4 + (row & 1) * 2 + (column & 1);
    const u16* from = x + ((made / times * height + row / 2) * width + column / 2) * channels;
    Eight sum = unpack(y[at]);
    #pragma unroll
    for (int j = 0; j < 8; j++) sum.v[j] += one(from[((first + j) * times * 4 + part) / repeats]);
    y[at] = pack(sum);
}
