using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RenderFarm.Jobs.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class WorkerIdentities : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ux_workers_name",
                table: "workers");

            migrationBuilder.AddColumn<string>(
                name: "identity",
                table: "workers",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "instance",
                table: "workers",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "place",
                table: "workers",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ux_workers_identity",
                table: "workers",
                column: "identity",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ux_workers_identity",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "identity",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "instance",
                table: "workers");

            migrationBuilder.DropColumn(
                name: "place",
                table: "workers");

            migrationBuilder.CreateIndex(
                name: "ux_workers_name",
                table: "workers",
                column: "name",
                unique: true);
        }
    }
}
