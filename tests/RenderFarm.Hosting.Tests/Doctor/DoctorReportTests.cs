using RenderFarm.Contracts.Checks;
using RenderFarm.Hosting.Doctor;

namespace RenderFarm.Hosting.Tests.Doctor;

public sealed class DoctorReportTests
{
    [Fact]
    public void Write_AList_IsOneLineThatReadUnderstands()
    {
        using var output = new StringWriter();

        var code = DoctorReport.Write(output, [HostCheck.Ok("disk", "room"), HostCheck.Without("broker", "none set", "set one")]);

        Assert.Equal(0, code);
        Assert.Equal(
            """[{"subject":"disk","result":"ok","finding":"room"},"""
                + """{"subject":"broker","result":"without","finding":"none set","remedy":"set one"}]""",
            output.ToString().TrimEnd()
        );
        Assert.Equal(
            [HostCheck.Ok("disk", "room"), HostCheck.Without("broker", "none set", "set one")],
            DoctorReport.Read(output.ToString())!
        );
    }

    [Fact]
    public void Write_SomethingLacks_EndsWith1() =>
        Assert.Equal(
            1,
            DoctorReport.Write(TextWriter.Null, [HostCheck.Ok("disk", "room"), HostCheck.Lacks("database", "away", "start it")])
        );

    [Theory]
    [InlineData("")]
    [InlineData("segmentation fault")]
    [InlineData("""[{"subject":"disk","result":"fine","finding":"room"}]""")]
    public void Read_NoSuchList_IsNull(string text) => Assert.Null(DoctorReport.Read(text));
}
