using RenderFarm.Cli.Commands;

return await FarmCommand.RunAsync(args);
