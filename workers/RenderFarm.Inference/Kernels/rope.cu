// RMS norm over the full row (all heads together), then rotary position embedding, in place on bf16 rows.
//
//   n = x * rsqrt(mean(x^2) + epsilon) * weight
//   each adjacent pair (2i, 2i+1) of every head is turned by the token's angle i
//
// Compile-time: DIM (heads * HEAD), HEAD (head size), THREADS. Rows lie `stride` elements apart (q and k are columns of one
// fused projection). `table` holds (cos, sin) of every token's HEAD/2 angles; samples of a batch share it. Without a table
// (cross-attention) only the norm is applied. blockIdx.y picks q (0) or k (1), so one launch serves both.

#define VECTORS ((DIM / 8 + THREADS - 1) / THREADS)
#define HALF (HEAD / 2)

extern "C" __global__ void __launch_bounds__(THREADS)
rms_norm_rope(u16* q, u16* k, const float* q_weight, const float* k_weight, long long stride, float epsilon,
              const float2* table, int tokens)
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

    const float2* angles = table ? table + (row % tokens) * HALF : 0;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at >= DIM / 8) continue;
        const float4 w0 = weight[at * 2], w1 = weight[at * 2 + 1];
        const float w[8] = { w0.x, w0.y, w0.z, w0.w, w1.x, w1.y, w1.z, w1.w };
        u32 p[4] = { v[i].x, v[i].y, v[i].z, v[i].w };
        #pragma unroll
        for (int j = 0; j < 4; j++)
        {
            const float a = bf16_low(p[j]) * norm * w[2 * j], b = bf16_high(p[j]) * norm * w[2 * j + 1];
            const float2 turn = angles ? angles[(at * 4 + j) % HALF] : make_float2(1.0f, 0.0f);
            p[j] = pack_bf16(a * turn.x - b * turn.y, a * turn.y + b * turn.x);
        }
        x[at] = make_uint4(p[0], p[1], p[2], p[3]);
    }
}
