using RenderFarm.Wan.TextEncoder;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.TextEncoder;

public sealed class RelativePositionsTests
{
    /// <summary>The distances at which the reference's 32 buckets begin.</summary>
    [Fact]
    public void Bucket_Of32_BeginsWhereTheReferenceDoes()
    {
        var positions = new RelativePositions(32);

        int[] starts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91];
        for (var bucket = 0; bucket < starts.Length; bucket++)
        {
            var last = bucket + 1 < starts.Length ? starts[bucket + 1] - 1 : 511;
            Assert.Equal(bucket, positions.Bucket(-starts[bucket]));
            Assert.Equal(bucket, positions.Bucket(-last));
            if (bucket == 0)
            {
                continue;
            }

            Assert.Equal(16 + bucket, positions.Bucket(starts[bucket]));
            Assert.Equal(16 + bucket, positions.Bucket(last));
        }
    }

    [Fact]
    public void Matrix_QueryByKey_CountsFromTheQuery()
    {
        using var matrix = new RelativePositions(32).Matrix(3, CPU);

        Assert.Equal([0L, 17, 18, 1, 0, 17, 2, 1, 0], matrix.data<long>().ToArray());
    }

    [Fact]
    public void Constructor_OddBuckets_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new RelativePositions(30));
}
