using RenderFarm.Rendering.Sampling;

namespace RenderFarm.Rendering.Tests.Sampling;

public sealed class FlowScheduleTests
{
    [Theory]
    [InlineData(
        50,
        5,
        "999 995 991 987 982 978 973 968 963 957 952 946 940 934 927 920 913 906 898 890 882 873 863 854 843 833 821 809 796 783 768 753 "
            + "737 720 701 681 660 636 611 584 555 522 487 448 405 356 302 241 172 92"
    )]
    [InlineData(
        40,
        3,
        "999 991 982 973 963 954 944 933 922 911 899 887 874 861 847 832 817 801 785 767 749 730 710 688 666 642 617 590 562 531 499 465 "
            + "428 388 345 299 249 195 136 71"
    )]
    [InlineData(
        40,
        5,
        "999 994 989 983 978 972 965 959 952 944 937 929 920 911 902 892 882 870 859 846 833 818 803 786 768 749 728 706 681 654 624 591 "
            + "555 514 468 416 356 288 208 113"
    )]
    [InlineData(
        40,
        12,
        "999 997 995 993 990 988 985 982 979 976 972 969 965 961 956 952 947 941 936 929 922 915 907 898 888 877 865 852 837 819 799 776 "
            + "749 717 678 631 571 492 386 235"
    )]
    [InlineData(
        50,
        16,
        "999 998 997 995 994 993 991 989 988 986 984 982 980 978 976 973 971 968 965 963 959 956 953 949 945 941 936 931 926 920 914 907 "
            + "899 891 882 872 861 848 834 818 799 778 752 722 685 639 581 504 399 245"
    )]
    public void UniPc_PublishedSettings_GiveTheReferenceTimes(int steps, double shift, string expected)
    {
        var times = expected.Split(' ').Select(float.Parse);

        Assert.Equal(times, FlowSchedule.UniPc(steps, shift).Timesteps);
    }

    [Fact]
    public void UniPc_FiveSteps_GivesTheReferenceSigmas() =>
        Assert.Equal([0.999799848f, 0.95215404f, 0.882093251f, 0.768934727f, 0.55524677f, 0f], FlowSchedule.UniPc(5, 5).Sigmas);

    [Fact]
    public void DpmSolver_FiveSteps_GivesTheReferenceSigmasAndTimes()
    {
        var schedule = FlowSchedule.DpmSolver(5, 5);

        Assert.Equal([1f, 0.952380955f, 0.882352948f, 0.769230783f, 0.555555582f, 0f], schedule.Sigmas);
        Assert.Equal([1000f, 952, 882, 769, 555], schedule.Timesteps);
    }

    [Theory]
    [InlineData("unipc")]
    [InlineData("dpm++")]
    [InlineData("euler")]
    public void Schedule_AnyAllowedSetting_FallsStrictlyToZero(string sampler)
    {
        foreach (var steps in new[] { 1, 2, 3, 50, FlowSchedule.MaxSteps })
        {
            foreach (var shift in new[] { FlowSchedule.MinShift, 1, 3, 16, FlowSchedule.MaxShift })
            {
                var schedule = Samplers.Schedule(sampler, steps, shift);

                Assert.Equal(steps + 1, schedule.Sigmas.Count);
                Assert.Equal(steps, schedule.Timesteps.Count);
                Assert.Equal(0f, schedule.Sigmas[^1]);
                Assert.All(
                    Enumerable.Range(0, steps),
                    i =>
                        Assert.True(
                            schedule.Sigmas[i] > schedule.Sigmas[i + 1],
                            $"{sampler}, {steps} steps, shift {shift}: level {i} does not fall"
                        )
                );
                Assert.All(schedule.Timesteps, time => Assert.InRange(time, 0, 1000));
            }
        }
    }

    [Theory]
    [InlineData(0, 5.0, "steps")]
    [InlineData(1001, 5.0, "steps")]
    [InlineData(20, 0.0, "shift")]
    [InlineData(20, double.NaN, "shift")]
    [InlineData(20, double.PositiveInfinity, "shift")]
    public void Schedule_BadSetting_IsRefusedByName(int steps, double shift, string field)
    {
        foreach (var sampler in Samplers.Names)
        {
            Assert.Equal(field, Assert.Throws<ArgumentOutOfRangeException>(() => Samplers.Schedule(sampler, steps, shift)).ParamName);
        }
    }

    [Fact]
    public void Create_UnknownSampler_SaysWhichExist()
    {
        var error = Assert.Throws<ArgumentException>(() => Samplers.Create("ddim", 20, 5));

        Assert.Contains("'ddim'", error.Message, StringComparison.Ordinal);
        Assert.Contains("unipc, euler, dpm++", error.Message, StringComparison.Ordinal);
    }

    [Theory] // Worked from the published grid: entries 0, 250, 500 and 750 of a thousand, shifted
    [InlineData(5, new[] { 1f, 0.9375f, 0.8333333f, 0.625f, 0f })]
    [InlineData(16, new[] { 1f, 0.9795918f, 0.9411765f, 0.8421053f, 0f })]
    public void Distilled_FourSteps_AreTheLevelsOfTheTraining(double shift, float[] expected)
    {
        var schedule = FlowSchedule.Distilled(4, shift);

        Assert.Equal(expected, schedule.Sigmas, (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Equal(1000 * expected[1], schedule.Timesteps[1], 0.001);
    }
}
