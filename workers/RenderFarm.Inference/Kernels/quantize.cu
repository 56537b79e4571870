// Rows of bf16 to eight bits with one scale a row: out = code(f(x) / s), s = max|f(x)| / 448 for e4m3, / 127 for int8.
// f is the identity (attention output, weights) or tanh-GELU (between the FFN's two products) when GELU is 1.
// The row stays in registers between finding the maximum and rounding.

#define VECTORS ((DIM / 8 + THREADS - 1) / THREADS)

__device__ __forceinline__ float activate(float x)
{
#if GELU
    return gelu_tanh(x);
#else
    return x;
#endif
}

#if HAS_CODE
extern "C" __global__ void __launch_bounds__(THREADS)
quantize_rows(const u16* x, long long stride, uint2* out, float* scales)
{
    const long long row = blockIdx.x;
    const uint4* xs = (const uint4*)(x + row * stride);
    float v[VECTORS][8];
    float largest = 0.0f;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at >= DIM / 8) continue;
        const uint4 in = xs[at];
        const u32 p[4] = { in.x, in.y, in.z, in.w };
        #pragma unroll
        for (int j = 0; j < 4; j++)
        {
            v[i][2 * j] = activate(bf16_low(p[j]));
            v[i][2 * j + 1] = activate(bf16_high(p[j]));
            largest = fmaxf(largest, fmaxf(fabsf(v[i][2 * j]), fabsf(v[i][2 * j + 1])));
        }
    }
    largest = block_reduce<Max>(largest);
    const float quantum = largest > 0.0f ? largest / CODE_MAX : 1.0f;
    const float factor = 1.0f / quantum;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at >= DIM / 8) continue;
        out[row * (DIM / 8) + at] = make_uint2(
            pack_code(v[i][0] * factor, v[i][1] * factor, v[i][2] * factor, v[i][3] * factor),
            pack_code(v[i][4] * factor, v[i][5] * factor, v[i][6] * factor, v[i][7] * factor));
    }
    if (threadIdx.x == 0) scales[row] = quantum;
}
#endif

// tanh-GELU in place on bf16, for products that run in bf16.
extern "C" __global__ void __launch_bounds__(THREADS)
gelu_rows(u16* x, long long stride)
{
    uint4* xs = (uint4*)(x + (long long)blockIdx.x * stride);
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at >= DIM / 8) continue;
        const uint4 in = xs[at];
        u32 p[4] = { in.x, in.y, in.z, in.w };
        #pragma unroll
        for (int j = 0; j < 4; j++) p[j] = pack_bf16(gelu_tanh(bf16_low(p[j])), gelu_tanh(bf16_high(p[j])));
        xs[at] = make_uint4(p[0], p[1], p[2], p[3]);
    }
}

// Eight-bit weights up to bf16: out = bf16(w * scale[row]); the scale may also be one for the whole matrix (per_row 0).
extern "C" __global__ void __launch_bounds__(THREADS)
dequantize_rows(const uint2* w, const float* scales, int per_row, uint4* out)
{
    const long long row = blockIdx.x;
    const float scale = scales ? scales[per_row ? row : 0] : 1.0f;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at >= DIM / 8) continue;
        const uint2 in = w[row * (DIM / 8) + at];
        u32 p[4];
        #pragma unroll
        for (int j = 0; j < 4; j++)
        {
            const u32 two = (j < 2 ? in.x : in.y) >> (16 * (j & 1));
            p[j] = pack_bf16(code_to_float(two & 0xffu) * scale, code_to_float((two >> 8) & 0xffu) * scale);
        }
        out[row * (DIM / 8) + at] = make_uint4(p[0], p[1], p[2], p[3]);
    }
}

// Sums of int8 products to bf16: out = sum * row_scales[row] * column_scales[column] + bias[column]; no bias where it is null.
extern "C" __global__ void __launch_bounds__(THREADS)
scale_sums(const int4* sums, const float* row_scales, const float4* column_scales, const uint4* bias, uint4* out)
{
    const long long row = blockIdx.x;
    const float scale = row_scales[row];
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at >= DIM / 8) continue;
        const int4* in = sums + row * (DIM / 4) + 2 * at;
        const int4 a = in[0], b = in[1];
        const float4 f = column_scales[2 * at], g = column_scales[2 * at + 1];
        const uint4 o = bias ? bias[at] : make_uint4(0u, 0u, 0u, 0u);
        out[row * (DIM / 8) + at] = make_uint4(
            pack_bf16(fmaf((float)a.x, scale * f.x, bf16_low(o.x)), fmaf((float)a.y, scale * f.y, bf16_high(o.x))),
            pack_bf16(fmaf((float)a.z, scale * f.z, bf16_low(o.y)), fmaf((float)a.w, scale * f.w, bf16_high(o.y))),
            pack_bf16(fmaf((float)b.x, scale * g.x, bf16_low(o.z)), fmaf((float)b.y, scale * g.y, bf16_high(o.z))),
            pack_bf16(fmaf((float)b.z, scale * g.z, bf16_low(o.w)), fmaf((float)b.w, scale * g.w, bf16_high(o.w))));
    }
}
