// RMS norm over the full row (all heads together), then rotary position embedding, in place on bf16 rows.
//
//   n = x * rsqrt(mean(x^2) + epsilon) * weight
//   each adjacent pair (2i, 2i+1) of every head is turned by the token's angle i
//
// Compile-time: DIM (heads * HEAD), HEAD (head size), THREADS. Rows lie `stride` elements apart (q and k are columns of one
// fused projection). Angles come from three small tables of (cos, sin), one row per position on the axis: the pairs of a head
// split into PAIRS_T, PAIRS_H and PAIRS_W. With no tables (cross-attention) only the norm is applied.
// blockIdx.y picks q (0) or k (1), so one launch serves both.

#define VECTORS ((DIM / 8 + THREADS - 1) / THREADS)
#define HALF (HEAD / 2)
#define PAIRS_H (HEAD / 6)
#define PAIRS_W (HEAD / 6)
#define PAIRS_T (HALF - PAIRS_H - PAIRS_W)

__device__ __forceinline__ u32 turn(u32 pair_in, float norm, float w0, float w1, const float2* angle)
{
    const float a = bf16_low(pair_in) * norm * w0, b = bf16_high(pair_in) * norm * w1;
    if (!angle) return pack_bf16(a, b);
    const float2 cs = *angle;
    return pack_bf16(a * cs.x - b * cs.y, a * cs.y + b * cs.x);
}

extern "C" __global__ void __launch_bounds__(THREADS)
rms_norm_rope(u16* q, u16* k, const float* q_weight, const float* k_weight, long long stride, float epsilon,
              const float2* table_t, const float2* table_h, const float2* table_w, int height, int width)
{
    const long long row = blockIdx.x;
    uint4* x = (uint4*)((blockIdx.y ? k : q) + row * stride);
    const float4* weight = (const float4*)(blockIdx.y ? k_weight : q_weight);

    uint4 v[VECTORS];
    float squares = 0.0f;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at >= DIM / 8) continue;
        v[i] = x[at];
        const u32 p[4] = { v[i].x, v[i].y, v[i].z, v[i].w };
        #pragma unroll
        for (int j = 0; j < 4; j++)
        {
            const float a = bf16_low(p[j]), b = bf16_high(p[j]);
            squares += a * a + b * b;
        }
    }
    const float norm = rsqrtf(block_reduce<Sum>(squares) * (1.0f / DIM) + epsilon);

    const int area = height * width;
    const float2 *at_t = 0, *at_h = 0, *at_w = 0;
    if (table_t)
    {
        const int frame = (int)(row / area), rest = (int)(row % area);
        at_t = table_t + (long long)frame * PAIRS_T;
        at_h = table_h + (long long)(rest / width) * PAIRS_H;
        at_w = table_w + (long long)(rest % width) * PAIRS_W;
    }
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at >= DIM / 8) continue;
        const float4 w0 = weight[at * 2], w1 = weight[at * 2 + 1];
        const float ws[8] = { w0.x, w0.y, w0.z, w0.w, w1.x, w1.y, w1.z, w1.w };
        u32 p[4] = { v[i].x, v[i].y, v[i].z, v[i].w };
        #pragma unroll
        for (int j = 0; j < 4; j++)
        {
            const int pair = (at * 4 + j) % HALF;
            const float2* angle = 0;
            if (at_t)
                angle = pair < PAIRS_T ? at_t + pair
                      : pair < PAIRS_T + PAIRS_H ? at_h + (pair - PAIRS_T)
                      : at_w + (pair - PAIRS_T - PAIRS_H);
            p[j] = turn(p[j], norm, ws[2 * j], ws[2 * j + 1], angle);
        }
        x[at] = make_uint4(p[0], p[1], p[2], p[3]);
    }
}
