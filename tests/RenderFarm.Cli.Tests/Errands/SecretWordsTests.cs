using RenderFarm.Cli.Errands;

namespace RenderFarm.Cli.Tests.Errands;

/// <summary>What a list of processes shows of a command line with secrets.</summary>
public sealed class SecretWordsTests
{
    [Theory]
    [InlineData("up --farm --postgres Host=db;Password=pw1 --port 80", "up --farm --postgres *** --port 80")]
    [InlineData("up --farm --postgres=Host=db;Password=pw1 --s3:http://k:pw2@s3/", "up --farm --postgres=*** --s3:***")]
    [InlineData("watch video_1 --key rf_pw1", "watch video_1 --key ***")]
    [InlineData("up --rabbitmq amqp://u:pw1@mq/ --rabbitmq amqp://u:pw2@mq/", "up --rabbitmq *** --rabbitmq ***")]
    [InlineData("keys list", "keys list")]
    [InlineData("render *** --key ***", "render *** --key ***")]
    [InlineData("watch video_1 --key", "watch video_1 --key")]
    public void Hide_ThenRestore_ShowsNoSecretAndLosesNone(string line, string shown)
    {
        var words = line.Split(' ');

        var (open, hidden) = SecretWords.Hide(words);

        Assert.Equal(shown, string.Join(' ', open));
        Assert.DoesNotContain("pw", string.Join(' ', open) + hidden, StringComparison.Ordinal);
        Assert.Equal(words, hidden.Length == 0 ? open : SecretWords.Restore(open, hidden));
    }
}
