// Residual add, layer norm, modulation and rounding to eight bits in one pass over the row.
//
//   x   = x + gate * y                (when y is given; gate null means 1)       x: float32 [rows, DIM], updated in place
//   z   = layer_norm(x)               (no affine, biased variance)
//   z   = z * (offset + scale) + shift   offset 1 for modulation, 0 for an affine norm (scale = weight, shift = bias)
//   out = bf16(z)                     or, when scales is given, out = code(z / s), s = max|z| / largest code, one s per row
//
// Rows from `split` on take the second row of gate, scale and shift (per-token timesteps have two distinct values).
// One block a row; the row stays in registers, so x is read once and written once.

#define VECTORS ((DIM / 4 + THREADS - 1) / THREADS)

extern "C" __global__ void __launch_bounds__(THREADS)
residual_norm(float* x, const uint2* y, const float* gate, const float* scale, const float* shift,
              float offset, float epsilon, int split, uint2* out_bf16, u32* out_code, float* scales)
{
    const long long row = blockIdx.x;
    const long long base = row * (DIM / 4);
    const int variant = row >= split ? DIM / 4 : 0;
    float4* xs = (float4*)x + base;
    const float4* gates = gate ? (const float4*)gate + variant : 0;
    const float4* shifts = (const float4*)shift + variant;
    const float4* factors = (const float4*)scale + variant;

    float4 v[VECTORS];
    float sum = 0.0f;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        v[i] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        if (at >= DIM / 4) continue;
        v[i] = xs[at];
        if (y)
        {
            const uint2 p = y[base + at];
            const float4 g = gates ? gates[at] : make_float4(1.0f, 1.0f, 1.0f, 1.0f);
            v[i].x = fmaf(g.x, bf16_low(p.x), v[i].x);
            v[i].y = fmaf(g.y, bf16_high(p.x), v[i].y);
            v[i].z = fmaf(g.z, bf16_low(p.y), v[i].z);
            v[i].w = fmaf(g.w, bf16_high(p.y), v[i].w);
            xs[at] = v[i];
        }
        sum += (v[i].x + v[i].y) + (v[i].z + v[i].w);
    }
    const float mean = block_reduce<Sum>(sum) * (1.0f / DIM);

    float squares = 0.0f;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        if (threadIdx.x + i * THREADS >= DIM / 4) continue;
        v[i].x -= mean; v[i].y -= mean; v[i].z -= mean; v[i].w -= mean;
        squares += (v[i].x * v[i].x + v[i].y * v[i].y) + (v[i].z * v[i].z + v[i].w * v[i].w);
    }
    const float inverse = rsqrtf(block_reduce<Sum>(squares) * (1.0f / DIM) + epsilon);

    float largest = 0.0f;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at >= DIM / 4) continue;
        const float4 f = factors[at], s = shifts[at];
        v[i].x = fmaf(v[i].x * inverse, offset + f.x, s.x);
        v[i].y = fmaf(v[i].y * inverse, offset + f.y, s.y);
        v[i].z = fmaf(v[i].z * inverse, offset + f.z, s.z);
        v[i].w = fmaf(v[i].w * inverse, offset + f.w, s.w);
        largest = fmaxf(largest, fmaxf(fmaxf(fabsf(v[i].x), fabsf(v[i].y)), fmaxf(fabsf(v[i].z), fabsf(v[i].w))));
        if (out_bf16) out_bf16[base + at] = make_uint2(pack_bf16(v[i].x, v[i].y), pack_bf16(v[i].z, v[i].w));
    }
#if HAS_CODE
    if (!out_code) return;                 // the same for the whole grid
    largest = block_reduce<Max>(largest);
    const float quantum = largest > 0.0f ? largest / CODE_MAX : 1.0f;
    const float factor = 1.0f / quantum;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at < DIM / 4)
            out_code[base + at] = pack_code(v[i].x * factor, v[i].y * factor, v[i].z * factor, v[i].w * factor);
    }
    if (threadIdx.x == 0) scales[row] = quantum;
#endif
}

// x += gate * y at the end of a block: float32 residual, bf16 update.
extern "C" __global__ void __launch_bounds__(THREADS)
residual_add(float* x, const uint2* y, const float* gate, int split)
{
    const long long row = blockIdx.x;
    const long long base = row * (DIM / 4);
    float4* xs = (float4*)x + base;
    const float4* gates = gate ? (const float4*)gate + (row >= split ? DIM / 4 : 0) : 0;
    #pragma unroll
    for (int i = 0; i < VECTORS; i++)
    {
        const int at = threadIdx.x + i * THREADS;
        if (at >= DIM / 4) continue;
        const uint2 p = y[base + at];
        const float4 g = gates ? gates[at] : make_float4(1.0f, 1.0f, 1.0f, 1.0f);
        float4 v = xs[at];
        v.x = fmaf(g.x, bf16_low(p.x), v.x);
        v.y = fmaf(g.y, bf16_high(p.x), v.y);
        v.z = fmaf(g.z, bf16_low(p.y), v.z);
        v.w = fmaf(g.w, bf16_high(p.y), v.w);
        xs[at] = v;
    }
}
